//! The convolutional layer.

use serde::Deserialize;
use toml::Table;

use super::notation::{after_window, check_fit, check_window, number, window, window_text};
use super::{Layer, LayerTensors, Notation, Parameter, Part, Place, Recorder, SectionError, Unread, Values, activated};
use crate::kernels::activation::Activation;
use crate::kernels::{AddPartials, ConvForward, ConvInputGrad, ConvSizes, ConvWeightGrad, MapSums};
use crate::math::shape::{Shape, Window};
use crate::nn::init::{Fan, Init};
use crate::plan::{Role, Tensor};
use crate::settings;

/// `y = activation(W * x + b)`: x maps of `input`, W `[maps, channels, size, size]`, b `[maps]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv {
    /// Shape of an example's input.
    pub input: Shape,
    /// Maps of the output.
    pub maps: usize,
    /// What each of them sees.
    pub window: Window,
    /// Whether it has biases; before a normalization they would do nothing.
    pub has_bias: bool,
    /// Applied to the output.
    pub activation: Activation,
    /// What the weights start from; biases start from zero.
    pub init: Init,
}

impl Conv {
    fn sizes(&self, batch: usize) -> ConvSizes {
        ConvSizes::new(batch, self.input, self.maps, self.window)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    maps: usize,
    kernel: usize,
    stride: Option<usize>,
    #[serde(default)]
    padding: usize,
}

/// `32C5s2p1`.
fn token_of(maps: usize, window: Window) -> String {
    format!("{maps}C{}", window_text(window, false))
}

impl Notation for Conv {
    const KIND: &'static str = "conv";
    const MEANING: &'static str = "convolutions (32C5, 32C3s2p1)";
    const PART: Part = Part::Weights;

    fn parse(token: &str, input: Shape) -> Result<Conv, Unread> {
        let (maps, rest) = token.split_once('C').ok_or(Unread::Other)?;
        let (maps, window) = (number(maps, token)?, window(rest, false, token)?);
        check_fit("a convolution", token, input, window)?;
        Ok(Conv { input, maps, window, has_bias: true, activation: Activation::Identity, init: Init::HE_NORMAL })
    }

    fn token_of_section(settings: &Table) -> Result<String, SectionError> {
        let Section { maps, kernel, stride, padding } = settings::from_table(settings)?;
        let window = Window { size: kernel, stride: stride.unwrap_or(1), padding };
        Ok(token_of(maps, check_window("layers.kernel", window)?))
    }

    fn token(&self) -> String {
        token_of(self.maps, self.window)
    }

    fn output(&self) -> Shape {
        let Some(Shape::Maps { height, width, .. }) = after_window(self.input, self.window) else {
            panic!("a window of {:?} does not fit {}", self.window, self.input)
        };
        Shape::Maps { channels: self.maps, height, width }
    }

    fn takes_maps(&self) -> bool {
        true
    }

    fn placed(self, Place { activation, has_bias, init }: Place) -> Conv {
        Conv { activation, has_bias, init, ..self }
    }
}

impl Layer for Conv {
    fn kind(&self) -> &'static str {
        "conv"
    }

    fn describe(&self) -> String {
        let Window { size, stride, padding } = self.window;
        let mut text = format!("conv {size}x{size}, {} -> {}", self.input, self.output());
        if stride > 1 {
            text += &format!(", stride {stride}");
        }
        if padding > 0 {
            text += &format!(", padding {padding}");
        }
        text + ", " + self.activation.name()
    }

    fn parameters(&self) -> Vec<Parameter> {
        let area = self.window.size * self.window.size;
        let fan = Fan { fan_in: self.input.channels() * area, fan_out: self.maps * area };
        let shape = vec![self.maps, self.input.channels(), self.window.size, self.window.size];
        let bias = self.has_bias.then(|| Parameter::plain("bias", vec![self.maps], Init::Zeros));
        [Parameter::weight(shape, self.init, fan)].into_iter().chain(bias).collect()
    }

    fn forward_flops(&self) -> u64 {
        self.sizes(1).flops()
    }

    fn forward(&self, recorder: &mut Recorder<'_>, input: Values, tensors: &LayerTensors) -> Values {
        let sizes = self.sizes(recorder.batch);
        let bias = match tensors.parameters[1..] {
            [bias] => bias,
            _ => recorder.constant("no_bias", vec![0.0; self.maps]),
        };
        let arguments = [input.tensor, tensors.parameters[0], bias];
        let dims = recorder.maps(self.output());
        activated(recorder, &dims, self.activation, |recorder, activation, output| {
            recorder.launch(ConvForward(sizes), &[activation.constant()], &[&arguments[..], &[output]].concat());
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
        let sizes = self.sizes(recorder.batch);
        let kernel = ConvWeightGrad::new(sizes);
        let (slices, length) = (kernel.slices(), recorder.plan.info(tensors.parameters[0]).len());
        let partials = recorder.scratch("weight_partials", &[slices as usize, length], Role::Grad);
        recorder.launch(kernel, &[], &[output_grad, input.tensor, partials]);
        recorder.launch(AddPartials { length: length as u32, slices }, &[], &[partials, tensors.gradients[0]]);
        if let [bias_grad] = tensors.gradients[1..] {
            let length = (recorder.batch * self.output().len() / self.maps) as u32;
            recorder.launch(MapSums { channels: sizes.out_channels, length }, &[], &[output_grad, bias_grad]);
        }
        wants_input_grad.then(|| {
            let input_grad = recorder.activation("input_grad", &recorder.maps(self.input));
            let arguments = [output_grad, tensors.parameters[0], input.kept, input_grad];
            recorder.launch(ConvInputGrad(sizes), &[input.activation.constant()], &arguments);
            input_grad
        })
    }
}
