//! Builds Burn's modules from gpunet's notation.

use anyhow::{Result, bail};
use burn::module::{Module, Param, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d, Relu};
use burn::tensor::{Device, Tensor, TensorData};
use case::{Case, Layer};

/// Layers in order.
#[derive(Module, Debug)]
pub(crate) struct Classifier {
    stages: Vec<Stage>,
    /// Channels, rows and columns of an example.
    input: [usize; 3],
}

#[derive(Module, Debug)]
enum Stage {
    Dense(Linear),
    Convolution(Conv2d),
    MaxPool(MaxPool2d),
    BatchNorm(BatchNorm),
    Relu(Relu),
}

/// The values between two layers.
enum Activations {
    /// `[batch, channels, rows, columns]`
    Maps(Tensor<4>),
    /// `[batch, features]`
    Features(Tensor<2>),
}

use Activations::{Features, Maps};

impl Classifier {
    /// A network with the case's initial parameters.
    pub(crate) fn new(arch: &str, case: &Case, device: &Device) -> Result<Classifier> {
        let (input, layers) = case::layers(arch)?;
        let (mut stages, mut parameterized) = (Vec::new(), 0);
        for layer in layers {
            stages.push(Stage::new(layer, parameterized, case, device)?);
            parameterized += usize::from(!matches!(layer, Layer::MaxPool { .. } | Layer::Relu));
        }
        Ok(Classifier { stages, input })
    }

    /// Logits `[batch, classes]` of images `[batch, features]`.
    pub(crate) fn forward(&self, images: Tensor<2>) -> Tensor<2> {
        let [batch, _] = images.dims();
        let start = match self.input {
            [_, 1, 1] => Features(images),
            [maps, rows, columns] => Maps(images.reshape([batch, maps, rows, columns])),
        };
        match self.stages.iter().fold(start, |activations, stage| stage.forward(activations)) {
            Features(logits) => logits,
            Maps(_) => unreachable!("the last layer is dense"),
        }
    }
}

impl Stage {
    /// A layer with the parameters number `index` of the case, counted over layers with parameters.
    fn new(layer: Layer, index: usize, case: &Case, device: &Device) -> Result<Stage> {
        Ok(match layer {
            Layer::Relu => Stage::Relu(Relu::new()),
            Layer::MaxPool { size } => Stage::MaxPool(MaxPool2dConfig::new([size, size]).init()),
            Layer::Dense => {
                let weight = case.parameter(index, "weight")?.transposed();
                let [inputs, units] = weight.shape[..] else { bail!("dense weights are a matrix") };
                let mut dense = LinearConfig::new(inputs, units).init(device);
                dense.weight = Param::from_tensor(tensor(weight, device));
                dense.bias = case.bias(index).map(|bias| Param::from_tensor(tensor(bias, device)));
                Stage::Dense(dense)
            }
            Layer::Convolution { padding } => {
                let weight = case.parameter(index, "weight")?;
                let [maps, channels, rows, columns] = weight.shape[..] else {
                    bail!("convolution weights have four dimensions")
                };
                let mut convolution = Conv2dConfig::new([channels, maps], [rows, columns])
                    .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
                    .init(device);
                convolution.weight = Param::from_tensor(tensor(weight, device));
                convolution.bias = case.bias(index).map(|bias| Param::from_tensor(tensor(bias, device)));
                Stage::Convolution(convolution)
            }
            Layer::BatchNorm => {
                let parameter =
                    |name: &str| Ok::<Tensor<1>, anyhow::Error>(tensor(case.parameter(index, name)?, device));
                let gamma = parameter("weight")?;
                let mut norm = BatchNormConfig::new(gamma.dims()[0]).init(device);
                norm.gamma = Param::from_tensor(gamma);
                norm.beta = Param::from_tensor(parameter("bias")?);
                norm.running_mean = RunningState::new(parameter("running_mean")?);
                norm.running_var = RunningState::new(parameter("running_var")?);
                Stage::BatchNorm(norm)
            }
        })
    }

    fn forward(&self, activations: Activations) -> Activations {
        match (self, activations) {
            (Stage::Dense(dense), Features(x)) => Features(dense.forward(x)),
            (Stage::Dense(dense), Maps(x)) => Features(dense.forward(x.flatten(1, 3))),
            (Stage::Convolution(convolution), Maps(x)) => Maps(convolution.forward(x)),
            (Stage::MaxPool(pool), Maps(x)) => Maps(pool.forward(x)),
            (Stage::BatchNorm(norm), Maps(x)) => Maps(norm.forward(x)),
            (Stage::BatchNorm(norm), Features(x)) => Features(norm.forward(x)),
            (Stage::Relu(relu), Maps(x)) => Maps(relu.forward(x)),
            (Stage::Relu(relu), Features(x)) => Features(relu.forward(x)),
            (Stage::Convolution(_) | Stage::MaxPool(_), Features(_)) => {
                unreachable!("no convolution or pooling follows a dense layer")
            }
        }
    }
}

fn tensor<const D: usize>(values: case::Tensor, device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.values, values.shape), device)
}
