//! Burn, doing gpunet's work. The programs in `bin`, one per backend, share this code.

mod network;

use anyhow::Result;
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor, TensorData};
use case::{Network, Start};

use crate::network::Classifier;

const LEARNING_RATE: f64 = 1e-4;

/// Trains on a device, with the arguments `CASE ARCH BATCH` of the program.
pub fn serve(device: Device) -> Result<()> {
    let start = Start::from_arguments()?;
    case::serve("burn", Training::new(&start, device.autodiff())?)
}

struct Training {
    device: Device,
    /// Images `[batch, features]` and labels `[batch]` of each batch.
    batches: Vec<(Tensor<2>, Tensor<1, Int>)>,
    initial: Classifier,
    /// `None` only while the optimizer holds it.
    classifier: Option<Classifier>,
    cross_entropy: CrossEntropyLoss,
    optimizer: ModuleOptimizer,
    loss: Option<Tensor<1>>,
}

impl Training {
    fn new(start: &Start, device: Device) -> Result<Training> {
        let Start { case, arch, batch, .. } = start;
        let batches = case.batches.iter().map(|examples| {
            let images = TensorData::new(examples.images.clone(), [*batch, examples.images.len() / batch]);
            let labels: Vec<i32> = examples.labels.iter().map(|&label| label as i32).collect();
            (Tensor::from_data(images, &device), Tensor::from_data(TensorData::new(labels, [*batch]), &device))
        });
        let initial = Classifier::new(arch, case, &device)?;
        Ok(Training {
            batches: batches.collect(),
            classifier: Some(initial.clone()),
            initial,
            cross_entropy: CrossEntropyLossConfig::new().init(&device),
            optimizer: adam(),
            loss: None,
            device,
        })
    }
}

fn adam() -> ModuleOptimizer {
    AdamConfig::new().with_beta_1(0.9).with_beta_2(0.999).with_epsilon(1e-8).init()
}

impl Network for Training {
    fn device(&self) -> String {
        #[cfg(any(feature = "wgpu", feature = "vulkan", feature = "cuda"))]
        if let Some(identity) = self.device.identity() {
            return identity.name;
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        format!("CPU, {threads} threads")
    }

    fn reset(&mut self) -> Result<()> {
        self.classifier = Some(self.initial.clone());
        self.optimizer = adam();
        Ok(())
    }

    fn step(&mut self, batch: usize) -> Result<()> {
        let classifier = self.classifier.take().expect("the optimizer gave it back");
        let (images, labels) = self.batches[batch].clone();
        let loss = self.cross_entropy.forward(classifier.forward(images), labels);
        self.loss = Some(loss.clone().inner());
        let gradients = GradientsParams::from_grads(loss.backward(), &classifier);
        self.classifier = Some(self.optimizer.step(LEARNING_RATE, classifier, gradients));
        Ok(())
    }

    fn loss(&mut self) -> Result<f32> {
        Ok(self.loss.take().expect("a step has been taken").try_into_scalar()?)
    }

    fn wait(&mut self) -> Result<()> {
        Ok(self.device.sync()?)
    }
}
