//! Layers: what a model is a sequence of. A file each, with all that there is to say of the layer.

mod dropout;
pub(in crate::nn) mod notation;
mod pooling;
mod reorder;

pub use dropout::Dropout;
pub use notation::{Kind, Notation, Part, Place, SectionError, Unread, Written};
pub use reorder::Reorder;

use crate::kernels::Activate;
use crate::kernels::activation::Activation;
use crate::kernels::kernel::{DType, KernelSpec};
use crate::math::shape::Shape;
use crate::nn::init::{Fan, Init};
use crate::nn::optim::FusedUpdate;
use crate::plan::{Phase, PlanBuilder, Role, Tensor};

/// Declares the module of each layer that has a notation, gives its type a place here, and makes the list of all kinds.
macro_rules! layers {
    ($($module:ident::$layer:ident),+ $(,)?) => {
        $(mod $module;)+
        $(pub use $module::$layer;)+

        /// The layers that architectures and recipes can have. Tokens are read by the first kind that they look like.
        pub const KINDS: &[Kind] = &[$(Kind::of::<$layer>(),)+];
    };
}

layers! {
    dense::Dense,
    conv::Conv,
    max_pool::MaxPool,
    avg_pool::AvgPool,
    global_avg_pool::GlobalAvgPool,
    batch_norm::BatchNorm,
    layer_norm::LayerNorm,
}

/// A parameter tensor that a layer asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Name within the layer, as in PyTorch: `weight`, `bias`.
    pub name: &'static str,
    /// Dimensions in PyTorch's layout.
    pub shape: Vec<usize>,
    /// Initial distribution.
    pub init: Init,
    /// What the distribution's scale depends on.
    pub fan: Fan,
    /// Whether regularization applies to it: to weights `[outputs, ...]`, not to biases.
    pub regularized: bool,
    /// Whether the layer can update it in the launch that makes its gradient, with all its others.
    pub fuses: bool,
    /// Whether gradient descent trains it. Running statistics are updated another way, and saved with the model too.
    pub trainable: bool,
}

impl Parameter {
    /// A weight `[outputs, ...]`.
    fn weight(shape: Vec<usize>, init: Init, fan: Fan) -> Parameter {
        Parameter { name: "weight", shape, init, fan, regularized: true, fuses: false, trainable: true }
    }

    /// One that no distribution's scale and no regularization concerns.
    fn plain(name: &'static str, shape: Vec<usize>, init: Init) -> Parameter {
        let fan = Fan { fan_in: 1, fan_out: 1 };
        Parameter { name, shape, init, fan, regularized: false, fuses: false, trainable: true }
    }
}

/// A batch of values between two layers, and the activation they came out of.
///
/// Consumers fuse the activation's derivative into their backward launch, so that gradients between layers are always
/// those of pre-activations.
#[derive(Clone, Copy, Debug)]
pub struct Values {
    /// Features `[batch, features]`, or maps `[channels, height, width, batch]`.
    pub tensor: Tensor,
    /// What was applied last to make it.
    pub activation: Activation,
    /// What the activation's derivative is made from: the values themselves, or the pre-activations, laid out alike.
    pub kept: Tensor,
}

impl Values {
    /// Values that no activation was applied to.
    pub fn plain(tensor: Tensor) -> Values {
        Values { tensor, activation: Activation::Identity, kept: tensor }
    }
}

/// A layer's parameters and their gradients in a plan, in the order of [`Layer::parameters`].
#[derive(Clone, Debug)]
pub struct LayerTensors {
    /// Values.
    pub parameters: Vec<Tensor>,
    /// Gradients of the trainable ones; empty where they are updated where their gradients are made, and in a plan that
    /// only evaluates.
    pub gradients: Vec<Tensor>,
    /// How the parameters are updated where their gradients are made.
    pub update: Option<FusedUpdate>,
}

/// Records a layer's output, of which `launch` writes `activation(pre-activation)` to a tensor. Where there is a
/// backward pass whose derivative takes the pre-activation, that is kept, and the activation is a launch of its own.
fn activated(
    recorder: &mut Recorder<'_>,
    dims: &[usize],
    activation: Activation,
    launch: impl Fn(&mut Recorder<'_>, Activation, Tensor),
) -> Values {
    let output = recorder.activation("output", dims);
    if !activation.keeps_pre_activation() || recorder.phase == Phase::Eval {
        launch(recorder, activation, output);
        return Values { tensor: output, activation, kept: output };
    }
    let kept = recorder.activation("pre_activation", dims);
    launch(recorder, Activation::Identity, kept);
    let length = dims.iter().product::<usize>() as u32;
    recorder.launch(Activate { length }, &[activation.constant()], &[kept, output]);
    Values { tensor: output, activation, kept }
}

/// One step of a model. A layer appends launches to a plan; it holds no values.
pub trait Layer: Send + Sync {
    /// What it is in one word, for names: `dense`.
    fn kind(&self) -> &'static str;

    /// What it is, for reports: `dense 784 -> 100, relu`.
    fn describe(&self) -> String;

    /// Parameters it needs.
    fn parameters(&self) -> Vec<Parameter>;

    /// Multiply-adds count as two: operations of the forward pass for one example.
    fn forward_flops(&self) -> u64;

    /// Examples that a batch of training must have: with fewer, the layer's output would not depend on its input.
    fn least_examples(&self) -> usize {
        1
    }

    /// Appends the forward pass.
    fn forward(&self, recorder: &mut Recorder<'_>, input: Values, tensors: &LayerTensors) -> Values;

    /// Appends the backward pass.
    ///
    /// `output_grad` is the gradient of this layer's pre-activation, laid out as its output. Launches that need the
    /// parameters come before those that may update them. Writes the parameters' gradients and, where asked, returns
    /// the gradient of the pre-activation that `input` came from, laid out as `input`.
    fn backward(
        &self,
        recorder: &mut Recorder<'_>,
        input: Values,
        output_grad: Tensor,
        tensors: &LayerTensors,
        wants_input_grad: bool,
    ) -> Option<Tensor>;
}

/// Where a layer records to.
pub struct Recorder<'a> {
    /// The plan.
    pub plan: &'a mut PlanBuilder,
    /// The phase that launches are appended to. Evaluation's forward pass is recorded apart from training's, over the
    /// same tensors, so that a layer may behave differently in the two.
    pub phase: Phase,
    /// Rows of a full batch.
    pub batch: usize,
    /// Prefix of tensor names: `layers.0`.
    pub scope: String,
}

impl Recorder<'_> {
    /// The dimensions of a batch of features.
    pub fn features(&self, features: usize) -> Vec<usize> {
        vec![self.batch, features]
    }

    /// The dimensions of a batch of maps: the batch innermost.
    pub fn maps(&self, shape: Shape) -> Vec<usize> {
        match shape {
            Shape::Features(features) => vec![features, self.batch],
            Shape::Maps { channels, height, width } => vec![channels, height, width, self.batch],
        }
    }

    /// The dimensions of a batch of such examples: features, or maps.
    pub fn dims(&self, shape: Shape) -> Vec<usize> {
        match shape {
            Shape::Features(features) => self.features(features),
            Shape::Maps { .. } => self.maps(shape),
        }
    }

    /// A float tensor of this layer.
    pub fn activation(&mut self, name: &str, dims: &[usize]) -> Tensor {
        self.scratch(name, dims, Role::Activation)
    }

    /// Any float tensor of this layer.
    pub fn scratch(&mut self, name: &str, shape: &[usize], role: Role) -> Tensor {
        let name = format!("{}.{name}", self.scope);
        self.tensor(&name, shape, DType::F32, role)
    }

    /// A float tensor of this layer that holds these values from loading on.
    pub fn constant(&mut self, name: &str, values: Vec<f32>) -> Tensor {
        let name = format!("{}.{name}", self.scope);
        self.plan.find(&name).unwrap_or_else(|| self.plan.constant(name, values, Role::Activation))
    }

    /// The tensor of that name: the one that another phase declared, or a new one.
    pub fn tensor(&mut self, name: &str, shape: &[usize], dtype: DType, role: Role) -> Tensor {
        self.plan.find(name).unwrap_or_else(|| self.plan.tensor(name, shape, dtype, role))
    }

    /// Appends a launch.
    pub fn launch<K: KernelSpec>(&mut self, kernel: K, constants: &[u32], args: &[Tensor]) {
        self.plan.launch_specialised(self.phase, kernel, constants, args);
    }
}
