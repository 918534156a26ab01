//! Activations and their derivatives against PyTorch's, in f64: kernels are compared with these functions.
//!
//! `golden/activations.py` computed the expected values; its head says what each tensor is.

use gpunet::low_level::kernels::activation::Activation;
use safetensors::SafeTensors;

#[test]
fn activations_and_their_slopes_are_those_of_pytorch() {
    let file = SafeTensors::deserialize(include_bytes!("../golden/activations.safetensors")).unwrap();
    let values = |name: &str| -> Vec<f64> { bytemuck::pod_collect_to_vec(file.tensor(name).unwrap().data()) };
    let inputs = values("z");
    assert!(!inputs.is_empty());
    for activation in Activation::ALL {
        let (outputs, derivatives) =
            (values(&format!("{}.output", activation.name())), values(&format!("{}.derivative", activation.name())));
        assert_eq!([outputs.len(), derivatives.len()], [inputs.len(); 2]);
        for ((&z, expected), slope) in inputs.iter().zip(outputs).zip(derivatives) {
            let y = activation.apply(z);
            let derivative = activation.derivative(if activation.keeps_pre_activation() { z } else { y });
            // PyTorch's own functions are off by some roundings.
            let within = |a: f64, b: f64| (a - b).abs() <= 1e-15 + 1e-13 * b.abs();
            assert!(within(y, expected), "{activation:?} of {z}: {y} instead of {expected}");
            assert!(within(derivative, slope), "slope of {activation:?} at {z}: {derivative} instead of {slope}");
        }
    }
}
