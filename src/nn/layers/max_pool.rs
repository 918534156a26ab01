//! Max pooling.

use toml::Table;

use super::pooling::{self, Windows};
use super::{Layer, LayerTensors, Notation, Parameter, Part, Place, Recorder, SectionError, Unread, Values};
use crate::kernels::kernel::DType;
use crate::kernels::{MaxPool as MaxPoolKernel, MaxPoolGrad};
use crate::math::shape::Shape;
use crate::plan::{Role, Tensor};

/// The greatest value of each window of each map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxPool(pub Windows);

impl MaxPool {
    /// Where the greatest values stood.
    fn indices(&self, recorder: &mut Recorder<'_>) -> Tensor {
        let name = format!("{}.indices", recorder.scope);
        recorder.tensor(&name, &recorder.maps(self.0.output()), DType::U32, Role::Activation)
    }
}

impl Notation for MaxPool {
    const KIND: &'static str = "max-pool";
    const MEANING: &'static str = "max pooling (MP2, MP3s2)";
    const PART: Part = Part::Other;

    fn parse(token: &str, input: Shape) -> Result<MaxPool, Unread> {
        Windows::parse("MP", token, input).map(MaxPool)
    }

    fn token_of_section(settings: &Table) -> Result<String, SectionError> {
        pooling::token_of_section("MP", settings)
    }

    fn token(&self) -> String {
        self.0.token("MP")
    }

    fn output(&self) -> Shape {
        self.0.output()
    }

    fn takes_maps(&self) -> bool {
        true
    }

    fn placed(self, _place: Place) -> MaxPool {
        self
    }
}

impl Layer for MaxPool {
    fn kind(&self) -> &'static str {
        "max_pool"
    }

    fn describe(&self) -> String {
        self.0.describe("max pool")
    }

    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn forward_flops(&self) -> u64 {
        self.0.flops()
    }

    fn forward(&self, recorder: &mut Recorder<'_>, input: Values, _tensors: &LayerTensors) -> Values {
        let output = recorder.activation("output", &recorder.maps(self.0.output()));
        let indices = self.indices(recorder);
        recorder.launch(MaxPoolKernel(self.0.sizes(recorder.batch)), &[], &[input.tensor, output, indices]);
        Values::plain(output)
    }

    fn backward(
        &self,
        recorder: &mut Recorder<'_>,
        input: Values,
        output_grad: Tensor,
        _tensors: &LayerTensors,
        wants_input_grad: bool,
    ) -> Option<Tensor> {
        wants_input_grad.then(|| {
            let input_grad = recorder.activation("input_grad", &recorder.maps(self.0.input));
            let arguments = [output_grad, self.indices(recorder), input.kept, input_grad];
            let kernel = MaxPoolGrad(self.0.sizes(recorder.batch));
            recorder.launch(kernel, &[input.activation.constant()], &arguments);
            input_grad
        })
    }
}
