//! The fully connected layer.

use serde::Deserialize;
use toml::Table;

use super::notation::number;
use super::{Layer, LayerTensors, Notation, Parameter, Part, Place, Recorder, SectionError, Unread, Values, activated};
use crate::kernels::activation::Activation;
use crate::kernels::{DenseForward, DenseGrad, DenseInputGrad};
use crate::math::shape::Shape;
use crate::nn::init::{Fan, Init};
use crate::plan::{PlanBuilder, Tensor};
use crate::settings;

/// `y = activation(x W^T + b)`: x `[batch, inputs]`, W `[outputs, inputs]`, b `[outputs]`, y `[batch, outputs]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dense {
    /// Fan-in.
    pub inputs: usize,
    /// Units.
    pub outputs: usize,
    /// Whether it has biases; before a normalization they would do nothing.
    pub has_bias: bool,
    /// Applied to the output.
    pub activation: Activation,
    /// What the weights start from; biases start from zero.
    pub init: Init,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    units: usize,
}

impl Notation for Dense {
    const KIND: &'static str = "dense";
    const MEANING: &'static str = "units (500)";
    const PART: Part = Part::Weights;

    fn parse(token: &str, input: Shape) -> Result<Dense, Unread> {
        let (inputs, outputs) = (input.len(), number(token, token)?);
        Ok(Dense { inputs, outputs, has_bias: true, activation: Activation::Identity, init: Init::HE_NORMAL })
    }

    fn token_of_section(settings: &Table) -> Result<String, SectionError> {
        let Section { units } = settings::from_table(settings)?;
        Ok(units.to_string())
    }

    fn token(&self) -> String {
        self.outputs.to_string()
    }

    fn output(&self) -> Shape {
        Shape::Features(self.outputs)
    }

    fn takes_maps(&self) -> bool {
        false
    }

    fn placed(self, Place { activation, has_bias, init }: Place) -> Dense {
        Dense { activation, has_bias, init, ..self }
    }
}

impl Layer for Dense {
    fn kind(&self) -> &'static str {
        "dense"
    }

    fn describe(&self) -> String {
        format!("dense {} -> {}, {}", self.inputs, self.outputs, self.activation.name())
    }

    fn parameters(&self) -> Vec<Parameter> {
        let fan = Fan { fan_in: self.inputs, fan_out: self.outputs };
        let bias = self.has_bias.then(|| Parameter::plain("bias", vec![self.outputs], Init::Zeros));
        let weight = Parameter::weight(vec![self.outputs, self.inputs], self.init, fan);
        [weight].into_iter().chain(bias).map(|parameter| Parameter { fuses: true, ..parameter }).collect()
    }

    fn forward_flops(&self) -> u64 {
        2 * self.inputs as u64 * self.outputs as u64
    }

    fn forward(&self, recorder: &mut Recorder<'_>, input: Values, tensors: &LayerTensors) -> Values {
        let kernel =
            DenseForward { rows: recorder.batch as u32, inputs: self.inputs as u32, outputs: self.outputs as u32 };
        let bias = match tensors.parameters[1..] {
            [bias] => bias,
            _ => recorder.constant("no_bias", vec![0.0; self.outputs]),
        };
        let arguments = [input.tensor, tensors.parameters[0], bias];
        let dims = recorder.features(self.outputs);
        activated(recorder, &dims, self.activation, |recorder, activation, output| {
            recorder.launch(kernel, &[activation.constant()], &[&arguments[..], &[output]].concat());
        })
    }

    fn backward(
        &self,
        recorder: &mut Recorder<'_>,
        input: Values,
        output_grad: Tensor,
        tensors: &LayerTensors,
        wants_input_grad: bool,
    ) -> Option<Tensor> {
        let [rows, inputs, outputs] = [recorder.batch, self.inputs, self.outputs].map(|n| n as u32);
        let weight = tensors.parameters[0];
        let input_grad = wants_input_grad.then(|| {
            let input_grad = recorder.activation("input_grad", &recorder.features(self.inputs));
            let kernel = DenseInputGrad { rows, inputs, outputs };
            recorder.launch(kernel, &[input.activation.constant()], &[output_grad, weight, input.kept, input_grad]);
            input_grad
        });
        // Biases lie behind weights in both arenas, but not equally far.
        let gradient = |plan: &PlanBuilder, layer: &[Tensor]| {
            let [first, last] =
                [layer.first(), layer.last()].map(|part| part.map_or(0, |&part| plan.info(part).offset));
            DenseGrad { rows, inputs, outputs, bias_at: (last - first) as u32 }
        };
        let operands = [output_grad, input.tensor];
        match &tensors.update {
            Some(update) => update.record(recorder.plan, gradient(recorder.plan, &tensors.parameters), operands),
            None => {
                let gradients = recorder.plan.span(format!("{}.grad", recorder.scope), &tensors.gradients);
                let kernel = gradient(recorder.plan, &tensors.gradients);
                recorder.launch(kernel, &[], &[&operands[..], &[gradients]].concat());
            }
        }
        input_grad
    }
}
