//! Models: an architecture's layers, recorded into plans.

mod arenas;
mod data;
mod passes;
mod recording;
mod update;

use crate::backend::DeviceError;
use crate::backend::Program;
use crate::data::DataShape;
use crate::kernels::loss_scale;
use crate::kernels::precision::Precision;
use crate::math::shape::Shape;
use crate::nn::arch::Arch;
use crate::nn::layers::{Layer, Parameter};
use crate::nn::loss::{Loss, LossScale, Objective};
use crate::nn::network::Network;
use crate::plan::{Data, Phase, PlanBuilder, Role, Tensor};
use crate::settings::SettingError;

use arenas::Arenas;
use data::DataTensors;
use passes::{Node, Passes};
pub use recording::{RecordError, Recording, TrainingOptions};

/// A network: layers in order.
pub struct Model {
    arch: Arch,
    layers: Vec<Box<dyn Layer>>,
}

impl Model {
    /// The network that `arch` describes, with ReLU on the hidden layers.
    pub fn new(arch: &Arch) -> Model {
        Model::of(&Network::from(arch.clone()))
    }

    /// The network of a checked description.
    pub fn of(network: &Network) -> Model {
        Model { arch: network.arch.clone(), layers: network.layers() }
    }

    /// A network of the caller's own layers, of which `arch` says no more than the shapes of its input and output.
    pub fn of_layers(arch: &Arch, layers: Vec<Box<dyn Layer>>) -> Model {
        Model { arch: arch.clone(), layers }
    }

    /// Its architecture.
    pub fn arch(&self) -> &Arch {
        &self.arch
    }

    /// Its layers.
    pub fn layers(&self) -> &[Box<dyn Layer>] {
        &self.layers
    }

    /// All parameters under the names of the model file, `layers.<i>.weight`: the trainable ones first.
    pub fn parameters(&self) -> Vec<(String, Parameter)> {
        let mut named = Vec::new();
        for (layer, scope) in self.layers.iter().zip(self.scopes()) {
            for parameter in layer.parameters() {
                named.push((format!("{scope}.{}", parameter.name), parameter));
            }
        }
        named.sort_by_key(|(_, parameter)| !parameter.trainable);
        named
    }

    /// What the names of each layer's tensors begin with: `layers.<i>`, i counting the layers that have parameters. A
    /// layer without parameters has `<kind>.<i>`, i that of the next layer with parameters, and a number behind it
    /// where the name is taken.
    pub fn scopes(&self) -> Vec<String> {
        let (mut next, mut scopes) = (0, Vec::new());
        for layer in &self.layers {
            if layer.parameters().is_empty() {
                let scope = format!("{}.{next}", layer.kind());
                let numbered = (2..).map(|number| format!("{scope}_{number}"));
                let free = [scope.clone()].into_iter().chain(numbered).find(|name| !scopes.contains(name));
                scopes.extend(free);
            } else {
                scopes.push(format!("layers.{next}"));
                next += 1;
            }
        }
        scopes
    }

    /// Number of trainable values.
    pub fn parameter_count(&self) -> usize {
        let trainable = self.parameters().into_iter().filter(|(_, parameter)| parameter.trainable);
        trainable.map(|(_, parameter)| parameter.shape.iter().product::<usize>()).sum()
    }

    /// The plan that trains on batches of a resident data set and evaluates on its other parts. Evaluation reports the
    /// plain loss, without label smoothing and class weights.
    ///
    /// # Errors
    /// [`RecordError::Setting`] for sizes that 32-bit indices cannot count.
    pub fn record_training(&self, data: DataShape, options: &TrainingOptions) -> Result<Recording, RecordError> {
        self.record(data, options.batch, options.loss, options.precision, Some(options))
    }

    /// The plan that only evaluates: no gradients, no optimizer state.
    ///
    /// # Errors
    /// As [`Model::record_training`].
    pub fn record_evaluation(
        &self,
        data: DataShape,
        batch: usize,
        loss: Loss,
        precision: Precision,
    ) -> Result<Recording, RecordError> {
        self.record(data, batch, loss, precision, None)
    }

    fn record(
        &self,
        data: DataShape,
        batch: usize,
        loss: Loss,
        precision: Precision,
        training: Option<&TrainingOptions>,
    ) -> Result<Recording, RecordError> {
        self.check_sizes(&data, batch)?;
        let mut plan = PlanBuilder::new();
        plan.set_step_bounds(batch, data.examples);
        let dataset = DataTensors::declare(&mut plan, &data, batch, self.arch.outputs());
        let arenas = Arenas::declare(&mut plan, &self.parameters(), training);
        let passes = Passes { nodes: self.nodes(&mut plan, training, &arenas), data: dataset, batch };

        let class_weights = plan.constant("unit_weights", vec![1.0; self.arch.outputs()], Role::Data);
        let scale = plan.constant("unit_scale", loss_scale::values(1.0), Role::Data);
        let plain = Objective { loss: loss.plain(), class_weights, scale };
        let evaluation = passes.forward(&mut plan, Phase::Eval, plain);
        let loss_scale = training.and_then(|options| {
            dataset.record_shuffle(&mut plan, &data);
            self.record_step(&mut plan, &passes, options, plain, &arenas)
        });
        if training.is_some_and(TrainingOptions::fuses) {
            plan.update_alone();
        }
        let plan = plan.finish()?.in_precision(precision)?;
        let DataTensors { features, labels, order, factors, offsets, .. } = dataset;
        let Arenas { parameters, untrained, gradients, state } = arenas;
        Ok(Recording {
            plan,
            batch,
            features,
            labels,
            order,
            factors,
            offsets,
            normalization: data.normalization,
            parameters: [parameters.parts, untrained].concat(),
            gradients: gradients.map_or_else(Vec::new, |arena| arena.parts),
            state: state.into_iter().chain(loss_scale).collect(),
            loss_scale,
            logits: evaluation.logits(),
            loss: evaluation.loss,
        })
    }

    /// Appends the training phase: forward, backward, update. Returns the loss scale, where it changes.
    fn record_step(
        &self,
        plan: &mut PlanBuilder,
        passes: &Passes<'_>,
        options: &TrainingOptions,
        plain: Objective,
        arenas: &Arenas,
    ) -> Option<Tensor> {
        let class_weights = match &options.class_weights {
            Some(weights) => plan.constant("class_weights", weights.clone(), Role::Data),
            None => plain.class_weights,
        };
        let scale = LossScale::new(plan, options.precision, options.loss_scale);
        let objective = Objective { loss: options.loss, class_weights, scale: scale.tensor };
        let forward = passes.forward(plan, Phase::Train, objective);
        passes.backward(plan, &forward);
        let both = (&arenas.parameters, arenas.gradients.as_ref());
        update::record(plan, options, both, &arenas.state, &scale, &self.parameters());
        scale.state()
    }

    /// The layers in their places: each reads what the one before makes.
    fn nodes(&self, plan: &mut PlanBuilder, training: Option<&TrainingOptions>, arenas: &Arenas) -> Vec<Node<'_>> {
        let fused = training.filter(|options| options.fuses()).map(|options| (options, &arenas.state[..]));
        let nodes = self.layers.iter().zip(self.scopes()).enumerate().map(|(input, (layer, scope))| {
            let tensors = arenas::layer_tensors(plan, layer.as_ref(), &scope, fused);
            Node { layer: layer.as_ref(), scope, tensors, input }
        });
        nodes.collect()
    }

    /// Shaders count elements in 32 bits.
    fn check_sizes(&self, data: &DataShape, batch: usize) -> Result<(), SettingError> {
        let widest = self.arch.shapes().iter().map(Shape::len).max().unwrap_or(1);
        for (what, count) in [
            ("the data set's features", data.examples as u128 * data.features as u128),
            ("the values of a batch's widest layer; use a smaller batch", batch as u128 * widest as u128),
        ] {
            if count > u128::from(u32::MAX) {
                return Err(SettingError::TooLarge { what, count });
            }
        }
        Ok(())
    }

    /// Writes initial parameter values, drawn from `seed`, and the first loss scale into a loaded recording.
    ///
    /// # Errors
    /// A device that was lost.
    pub fn initialize(&self, recording: &Recording, program: &mut dyn Program, seed: u64) -> Result<(), DeviceError> {
        if let Some(tensor) = recording.loss_scale {
            program.write(tensor, Data::F32(&LossScale::first_values()))?;
        }
        let mut pairs = recording.parameters.iter().zip(self.initial_values(seed));
        pairs.try_for_each(|(&tensor, values)| program.write(tensor, Data::F32(&values)))
    }

    /// Initial values of each of [`Model::parameters`], drawn from `seed`.
    pub fn initial_values(&self, seed: u64) -> impl Iterator<Item = Vec<f32>> {
        self.parameters().into_iter().zip(0..).map(move |((_, parameter), number)| {
            parameter.init.values(parameter.shape.iter().product(), parameter.fan, seed, number)
        })
    }
}
