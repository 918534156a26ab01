//! Models: an architecture's layers, recorded into plans.

mod recording;
mod update;

use crate::backend::DeviceError;
use crate::backend::Program;
use crate::data::DataShape;
use crate::kernels::kernel::DType;
use crate::kernels::precision::Precision;
use crate::kernels::{Gather, Shuffle, loss_scale};
use crate::math::shape::Shape;
use crate::nn::arch::Arch;
use crate::nn::layers::{Layer, LayerTensors, Parameter, Recorder, Values};
use crate::nn::loss::{Loss, LossScale, Objective};
use crate::nn::network::Network;
use crate::nn::optim::FusedUpdate;
use crate::plan::{Arena, Data, Phase, PlanBuilder, Role, Tensor};
use crate::settings::SettingError;

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

    /// What the names of each layer's tensors begin with: `layers.<i>`, i counting the layers that have parameters, and for
    /// the others `<kind>.<i>`, by the next layer that has, with a number behind where there are several before it.
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

    /// The plan that trains on batches of a resident data set and evaluates on its other parts: by the plain loss, without
    /// label smoothing and class weights.
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
        let images = plan.tensor("images", &[data.examples, data.features], DType::U8, Role::Data);
        let labels = plan.index_tensor("labels", &[data.examples], self.arch.outputs(), Role::Data);
        let order = plan.index_tensor("order", &[data.examples], data.examples, Role::Data);
        let inputs = plan.tensor("inputs", &[batch, data.features], DType::F32, Role::Input);
        let targets = plan.index_tensor("targets", &[batch], self.arch.outputs(), Role::Input);
        let parameters =
            self.arena(&mut plan, "parameters", Role::Param, "", |_| true).expect("a network has parameters");
        let untrained = self.parameters().into_iter().filter(|(_, parameter)| !parameter.trainable);
        let untrained: Vec<Tensor> =
            untrained.map(|(name, parameter)| plan.tensor(name, &parameter.shape, DType::F32, Role::Param)).collect();
        let fuses = training.is_some_and(TrainingOptions::fuses);
        let gradients = training.and_then(|_| {
            let is_in_memory = |parameter: &Parameter| !(fuses && parameter.fuses);
            self.arena(&mut plan, "gradients", Role::Grad, ".grad", is_in_memory)
        });
        let mut state = training.map_or_else(Vec::new, |options| options.optimizer.state(&mut plan, &parameters));

        let by_example = data.normalization.is_per_image();
        let constants = if by_example { data.examples } else { data.features };
        let [factors, offsets] =
            ["input_factors", "input_offsets"].map(|name| plan.tensor(name, &[constants], DType::F32, Role::Data));
        let [rows, features, examples] = [batch, data.features, data.examples].map(|n| n as u32);
        let gather = Gather { batch: rows, features, examples, by_example: u32::from(by_example) };
        let unit_weights = plan.constant("unit_weights", vec![1.0; self.arch.outputs()], Role::Data);
        let unit_scale = plan.constant("unit_scale", loss_scale::values(1.0), Role::Data);
        let plain = Objective { loss: loss.plain(), class_weights: unit_weights, scale: unit_scale };
        let fused = training.filter(|_| fuses).map(|options| (options, &state[..]));
        let tensors = self.layer_tensors(&mut plan, fused);
        let scopes = self.scopes();
        let forward = |plan: &mut PlanBuilder, phase: Phase, objective: Objective| {
            let mut recorder = Recorder { plan, phase, batch, scope: String::new() };
            let arguments = [images, labels, order, factors, offsets, inputs, targets];
            recorder.launch(gather, &[], &arguments);
            let mut values = vec![Values::plain(inputs)];
            for (index, (layer, tensors)) in self.layers.iter().zip(&tensors).enumerate() {
                recorder.scope.clone_from(&scopes[index]);
                values.push(layer.forward(&mut recorder, values[index], tensors));
            }
            let loss = objective.record(&mut recorder, values[self.layers.len()], targets);
            (values, loss)
        };
        let (values, loss) = forward(&mut plan, Phase::Eval, plain);
        let logits = values[self.layers.len()];

        let mut loss_scale = None;
        if let Some(options) = training {
            let class_weights = match &options.class_weights {
                Some(weights) => plan.constant("class_weights", weights.clone(), Role::Data),
                None => unit_weights,
            };
            let scale = LossScale::new(&mut plan, precision, options.loss_scale);
            let objective = Objective { loss: options.loss, class_weights, scale: scale.tensor };
            let (values, loss) = forward(&mut plan, Phase::Train, objective);
            plan.launch(Phase::Shuffle, Shuffle::new(data.train as u32), &[order]);
            let mut recorder = Recorder { plan: &mut plan, phase: Phase::Train, batch, scope: String::new() };
            let mut output_grad = loss.logits_grad;
            for (index, (layer, tensors)) in self.layers.iter().zip(&tensors).enumerate().rev() {
                recorder.scope.clone_from(&scopes[index]);
                let wants_input_grad = self.layers[..index].iter().any(|before| !before.parameters().is_empty());
                let input_grad = layer.backward(&mut recorder, values[index], output_grad, tensors, wants_input_grad);
                output_grad = input_grad.unwrap_or(output_grad);
            }
            let arenas = (&parameters, gradients.as_ref());
            update::record(&mut plan, options, arenas, &state, &scale, &self.parameters());
            loss_scale = scale.state();
            state.extend(loss_scale);
        }
        if fuses {
            plan.update_alone();
        }
        let plan = plan.finish()?;
        Ok(Recording {
            plan: plan.in_precision(precision)?,
            batch,
            images,
            labels,
            order,
            factors,
            offsets,
            normalization: data.normalization,
            parameters: [parameters.parts, untrained].concat(),
            gradients: gradients.map_or_else(Vec::new, |arena| arena.parts),
            state,
            loss_scale,
            logits: logits.tensor,
            loss,
        })
    }

    /// Shaders count elements in 32 bits.
    fn check_sizes(&self, data: &DataShape, batch: usize) -> Result<(), SettingError> {
        let widest = self.arch.shapes().iter().map(Shape::len).max().unwrap_or(1);
        for (what, count) in [
            ("the data set's bytes", data.examples as u128 * data.features as u128),
            ("the values of a batch's widest layer; use a smaller batch", batch as u128 * widest as u128),
        ] {
            if count > u128::from(u32::MAX) {
                return Err(SettingError::TooLarge { what, count });
            }
        }
        Ok(())
    }

    /// An arena with a tensor for each trainable parameter that `is_in`, if there is any. Regularized ones lie at its front, so that one launch
    /// runs over them.
    fn arena(
        &self,
        plan: &mut PlanBuilder,
        name: &str,
        role: Role,
        suffix: &str,
        is_in: impl Fn(&Parameter) -> bool,
    ) -> Option<Arena> {
        let mut named = self.parameters();
        named.retain(|(_, parameter)| parameter.trainable && is_in(parameter));
        if named.is_empty() {
            return None;
        }
        let mut order: Vec<usize> = (0..named.len()).collect();
        order.sort_by_key(|&number| !named[number].1.regularized);
        let part = |&number: &usize| (format!("{}{suffix}", named[number].0), named[number].1.shape.clone());
        let arena = plan.arena(name, role, &order.iter().map(part).collect::<Vec<_>>());
        // Handles in the order of the parameters again.
        let mut parts = arena.parts.clone();
        for (&number, &tensor) in order.iter().zip(&arena.parts) {
            parts[number] = tensor;
        }
        Some(Arena { parts, ..arena })
    }

    /// Each layer's tensors, by their names. Where parameters are updated where their gradients are made, `fused` says how, with the
    /// optimizer's state.
    fn layer_tensors(&self, plan: &mut PlanBuilder, fused: Option<(&TrainingOptions, &[Tensor])>) -> Vec<LayerTensors> {
        let layers = self.layers.iter().zip(self.scopes()).map(|(layer, scope)| {
            let of_layer = layer.parameters();
            let names: Vec<String> = of_layer.iter().map(|parameter| format!("{scope}.{}", parameter.name)).collect();
            let parameters: Vec<Tensor> = names.iter().flat_map(|name| plan.find(name)).collect();
            let gradients = names.iter().flat_map(|name| plan.find(&format!("{name}.grad"))).collect();
            let fused = fused.filter(|_| of_layer.first().is_some_and(|first| first.fuses));
            let update = fused.map(|(options, state)| {
                let TrainingOptions { optimizer, regularization, .. } = options;
                let rule = (*optimizer, regularization.penalties(optimizer, 1.0));
                let whole = plan.span(scope, &parameters);
                FusedUpdate::new(plan, rule, whole, state)
            });
            LayerTensors { parameters, gradients, update }
        });
        layers.collect()
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
