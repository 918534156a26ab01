//! Models: an architecture's layers, recorded into plans.

use crate::activation::Activation;
use crate::arch::Arch;
use crate::backend::Program;
use crate::data::{Dataset, Normalization};
use crate::error::Error;
use crate::kernel::DType;
use crate::kernels::{Gather, Shuffle};
use crate::layers::{Dense, Layer, LayerTensors, Parameter, Recorder, Values};
use crate::loss::{Loss, LossTensors, Objective};
use crate::optim::Optimizer;
use crate::plan::{Arena, Data, Phase, Plan, PlanBuilder, Role, Tensor};

/// A network: layers in order.
pub struct Model {
    arch: Arch,
    layers: Vec<Box<dyn Layer>>,
}

/// What a plan must know of the data: sizes only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DataShape {
    /// Examples to train on: positions `0..train` of the order, shuffled each epoch.
    pub train: usize,
    /// All examples, those for validation and test included.
    pub examples: usize,
    /// Bytes of an example.
    pub features: usize,
    /// How bytes become inputs.
    pub normalization: Normalization,
}

/// How a training plan is recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingOptions {
    /// Rows of a full batch.
    pub batch: usize,
    /// The update.
    pub optimizer: Optimizer,
    /// What the update makes smaller.
    pub loss: Loss,
    /// Factor on the loss of each class's examples, `[classes]`; all 1 where there is none.
    pub class_weights: Option<Vec<f32>>,
    /// Factor on the mean loss whose gradient is made; 1 but in gradient checks.
    pub loss_scale: f32,
}

impl Default for TrainingOptions {
    fn default() -> TrainingOptions {
        TrainingOptions {
            batch: 100,
            optimizer: Optimizer::sgd(),
            loss: Loss::default(),
            class_weights: None,
            loss_scale: 1.0,
        }
    }
}

/// A recorded plan and the tensors that a host writes or reads.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The plan.
    pub plan: Plan,
    /// Rows of a full batch.
    pub batch: usize,
    /// `[examples, features]` bytes.
    pub images: Tensor,
    /// `[examples]`.
    pub labels: Tensor,
    /// `[examples]`: which example stands at a position.
    pub order: Tensor,
    /// Values of the parameters, in the order of [`Model::parameters`].
    pub parameters: Vec<Tensor>,
    /// Their gradients; empty in a plan that only evaluates.
    pub gradients: Vec<Tensor>,
    /// The optimizer's state, an arena each; empty in a plan that only evaluates.
    pub state: Vec<Tensor>,
    /// `[batch, classes]`.
    pub logits: Tensor,
    /// What the loss leaves behind.
    pub loss: LossTensors,
}

impl Model {
    /// The network that `arch` describes: dense layers, ReLU on the hidden ones.
    pub fn new(arch: &Arch) -> Model {
        let last = arch.sizes().len() - 2;
        let layers = arch.sizes().windows(2).enumerate().map(|(index, sizes)| {
            let activation = if index == last { Activation::Identity } else { Activation::Relu };
            Box::new(Dense { inputs: sizes[0], outputs: sizes[1], activation }) as Box<dyn Layer>
        });
        Model { arch: arch.clone(), layers: layers.collect() }
    }

    /// Its architecture.
    pub fn arch(&self) -> &Arch {
        &self.arch
    }

    /// Its layers.
    pub fn layers(&self) -> &[Box<dyn Layer>] {
        &self.layers
    }

    /// All parameters under the names of the model file, `layers.<i>.weight`.
    pub fn parameters(&self) -> Vec<(String, Parameter)> {
        let mut named = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            for parameter in layer.parameters() {
                named.push((format!("layers.{index}.{}", parameter.name), parameter));
            }
        }
        named
    }

    /// Number of trainable values.
    pub fn parameter_count(&self) -> usize {
        self.parameters().iter().map(|(_, parameter)| parameter.shape.iter().product::<usize>()).sum()
    }

    /// The plan that trains on batches of a resident data set and evaluates on its other parts: by the plain loss, without
    /// label smoothing and class weights.
    ///
    /// # Errors
    /// [`Error::Config`] for sizes that 32-bit indices cannot count.
    pub fn record_training(&self, data: DataShape, options: &TrainingOptions) -> Result<Recording, Error> {
        self.record(data, options.batch, options.loss, Some(options))
    }

    /// The plan that only evaluates: no gradients, no optimizer state.
    ///
    /// # Errors
    /// As [`Model::record_training`].
    pub fn record_evaluation(&self, data: DataShape, batch: usize, loss: Loss) -> Result<Recording, Error> {
        self.record(data, batch, loss, None)
    }

    fn record(
        &self,
        data: DataShape,
        batch: usize,
        loss: Loss,
        training: Option<&TrainingOptions>,
    ) -> Result<Recording, Error> {
        self.check_sizes(data, batch)?;
        let mut plan = PlanBuilder::new();
        plan.set_step_bounds(batch, data.examples);
        let images = plan.tensor("images", &[data.examples, data.features], DType::U8, Role::Data);
        let labels = plan.index_tensor("labels", &[data.examples], self.arch.outputs(), Role::Data);
        let order = plan.index_tensor("order", &[data.examples], data.examples, Role::Data);
        let inputs = plan.tensor("inputs", &[batch, data.features], DType::F32, Role::Input);
        let targets = plan.index_tensor("targets", &[batch], self.arch.outputs(), Role::Input);
        let parameters = self.arena(&mut plan, "parameters", Role::Param, "");
        let gradients = training.map(|_| self.arena(&mut plan, "gradients", Role::Grad, ".grad"));

        let Normalization::Scale { factor: scale, offset } = data.normalization;
        let [rows, features, examples] = [batch, data.features, data.examples].map(|n| n as u32);
        let gather = Gather { batch: rows, features, examples, scale, offset };
        let unit_weights = plan.constant("unit_weights", vec![1.0; self.arch.outputs()], Role::Data);
        let plain = Objective { loss: loss.plain(), class_weights: unit_weights, scale: 1.0 };
        let tensors = self.layer_tensors(&parameters, gradients.as_ref());
        let forward = |plan: &mut PlanBuilder, phase: Phase, objective: Objective| {
            let mut recorder = Recorder { plan, phase, batch, scope: String::new() };
            recorder.launch(gather, &[], &[images, labels, order, inputs, targets]);
            let mut values = vec![Values { tensor: inputs, activation: Activation::Identity }];
            for (index, (layer, tensors)) in self.layers.iter().zip(&tensors).enumerate() {
                recorder.scope = format!("layers.{index}");
                values.push(layer.forward(&mut recorder, values[index], tensors));
            }
            let loss = objective.record(&mut recorder, values[self.layers.len()], targets);
            (values, loss)
        };
        let (values, loss) = forward(&mut plan, Phase::Eval, plain);
        let logits = values[self.layers.len()];

        let mut state = Vec::new();
        if let (Some(options), Some(gradients)) = (training, &gradients) {
            let class_weights = match &options.class_weights {
                Some(weights) => plan.constant("class_weights", weights.clone(), Role::Data),
                None => unit_weights,
            };
            let objective = Objective { loss: options.loss, class_weights, scale: options.loss_scale };
            let (values, loss) = forward(&mut plan, Phase::Train, objective);
            plan.launch(Phase::Shuffle, Shuffle::new(data.train as u32), &[order]);
            let mut recorder = Recorder { plan: &mut plan, phase: Phase::Train, batch, scope: String::new() };
            let mut output_grad = loss.logits_grad;
            for (index, (layer, tensors)) in self.layers.iter().zip(&tensors).enumerate().rev() {
                recorder.scope = format!("layers.{index}");
                let wants_input_grad = index > 0;
                let input_grad = layer.backward(&mut recorder, values[index], output_grad, tensors, wants_input_grad);
                output_grad = input_grad.unwrap_or(output_grad);
            }
            state = options.optimizer.record(&mut plan, parameters.whole, gradients.whole);
        }
        Ok(Recording {
            plan: plan.finish()?,
            batch,
            images,
            labels,
            order,
            parameters: parameters.parts,
            gradients: gradients.map_or_else(Vec::new, |arena| arena.parts),
            state,
            logits: logits.tensor,
            loss,
        })
    }

    /// Shaders count elements in 32 bits.
    fn check_sizes(&self, data: DataShape, batch: usize) -> Result<(), Error> {
        let widest = self.arch.sizes().iter().copied().max().unwrap_or(1);
        for (what, count) in [
            ("the data set's bytes", data.examples as u128 * data.features as u128),
            ("the values of a batch's widest layer; use a smaller --batch", batch as u128 * widest as u128),
        ] {
            if count > u128::from(u32::MAX) {
                return Err(crate::config::ConfigError::TooLarge { what, count }.into());
            }
        }
        Ok(())
    }

    fn arena(&self, plan: &mut PlanBuilder, name: &str, role: Role, suffix: &str) -> Arena {
        let parts: Vec<(String, Vec<usize>)> =
            self.parameters().into_iter().map(|(name, parameter)| (name + suffix, parameter.shape)).collect();
        plan.arena(name, role, &parts)
    }

    fn layer_tensors(&self, parameters: &Arena, gradients: Option<&Arena>) -> Vec<LayerTensors> {
        let mut first = 0;
        let layers = self.layers.iter().map(|layer| {
            let range = first..first + layer.parameters().len();
            first = range.end;
            LayerTensors {
                parameters: parameters.parts[range.clone()].to_vec(),
                gradients: gradients.map_or_else(Vec::new, |arena| arena.parts[range].to_vec()),
            }
        });
        layers.collect()
    }

    /// Writes initial parameter values, drawn from `seed`, into a loaded recording.
    ///
    /// # Errors
    /// A device that was lost.
    pub fn initialize(&self, recording: &Recording, program: &mut dyn Program, seed: u64) -> Result<(), Error> {
        for (number, ((_, parameter), &tensor)) in self.parameters().iter().zip(&recording.parameters).enumerate() {
            let values = parameter.init.values(parameter.shape.iter().product(), seed, number as u32);
            program.write(tensor, Data::F32(&values))?;
        }
        Ok(())
    }
}

impl Recording {
    /// Writes the data set into a loaded recording, in its own order.
    ///
    /// # Errors
    /// A device that was lost.
    pub fn upload(&self, program: &mut dyn Program, dataset: &Dataset) -> Result<(), Error> {
        let order: Vec<u32> = (0..dataset.len() as u32).collect();
        program.write(self.images, Data::U8(&dataset.images))?;
        program.write(self.labels, Data::U32(&dataset.labels))?;
        program.write(self.order, Data::U32(&order))
    }
}
