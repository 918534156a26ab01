//! The passes over a model's layers: forward through all nodes in order, backward through them in reverse.

use super::data::DataTensors;
use crate::nn::layers::{Layer, LayerTensors, Recorder, Values};
use crate::nn::loss::{LossTensors, Objective};
use crate::plan::{Phase, PlanBuilder, Tensor};

/// A layer in its place in the network.
///
/// Values have numbers: 0 is the network's input, and node `n` makes value `n + 1`.
pub(super) struct Node<'a> {
    /// What it does.
    pub layer: &'a dyn Layer,
    /// What the names of its tensors begin with.
    pub scope: String,
    /// Its parameters and their gradients.
    pub tensors: LayerTensors,
    /// The number of the value that it reads, which an earlier node made.
    pub input: usize,
}

/// The nodes of a network, and where their batches come from.
pub(super) struct Passes<'a> {
    /// In an order in which every node comes after the one whose value it reads. The last makes the logits.
    pub nodes: Vec<Node<'a>>,
    /// The data set.
    pub data: DataTensors,
    /// Rows of a full batch.
    pub batch: usize,
}

/// What a forward pass leaves behind.
pub(super) struct Forward {
    /// The values by their numbers.
    values: Vec<Values>,
    /// What the loss made of the last of them.
    pub loss: LossTensors,
}

impl Forward {
    /// `[batch, classes]`.
    pub fn logits(&self) -> Tensor {
        self.values[self.values.len() - 1].tensor
    }
}

impl Passes<'_> {
    fn recorder<'a>(&self, plan: &'a mut PlanBuilder, phase: Phase) -> Recorder<'a> {
        Recorder { plan, phase, batch: self.batch, scope: String::new() }
    }

    /// Appends a batch's way through the network to its loss.
    pub fn forward(&self, plan: &mut PlanBuilder, phase: Phase, objective: Objective) -> Forward {
        let mut recorder = self.recorder(plan, phase);
        self.data.record_gather(&mut recorder);
        let mut values = vec![Values::plain(self.data.inputs)];
        for node in &self.nodes {
            recorder.scope.clone_from(&node.scope);
            values.push(node.layer.forward(&mut recorder, values[node.input], &node.tensors));
        }
        let loss = objective.record(&mut recorder, values[self.nodes.len()], self.data.targets);
        Forward { values, loss }
    }

    /// Appends the way of the loss's gradient back to every parameter.
    pub fn backward(&self, plan: &mut PlanBuilder, forward: &Forward) {
        let mut recorder = self.recorder(plan, Phase::Train);
        let learns = self.values_that_learn();
        // Gradients of the pre-activations that values came from, by the values' numbers.
        let mut gradients: Vec<Option<Tensor>> = vec![None; self.nodes.len() + 1];
        gradients[self.nodes.len()] = Some(forward.loss.logits_grad);
        for (number, node) in self.nodes.iter().enumerate().rev() {
            let Some(output_grad) = gradients[number + 1] else { continue };
            recorder.scope.clone_from(&node.scope);
            let input = forward.values[node.input];
            let input_grad = node.layer.backward(&mut recorder, input, output_grad, &node.tensors, learns[node.input]);
            add(&mut gradients[node.input], input_grad);
        }
    }

    /// Whether parameters come into each value, so that its gradient is wanted.
    fn values_that_learn(&self) -> Vec<bool> {
        let mut learns = vec![false];
        for node in &self.nodes {
            learns.push(learns[node.input] || !node.layer.parameters().is_empty());
        }
        learns
    }
}

/// Adds one reader's gradient of a value to the gradient from that value's other readers. Today every value has one
/// reader, so that there is nothing to add to.
fn add(gradient: &mut Option<Tensor>, of_reader: Option<Tensor>) {
    assert!(gradient.is_none(), "a value with several readers needs a launch that adds up their gradients");
    *gradient = of_reader;
}
