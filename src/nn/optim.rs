//! Optimizers: how gradients become new parameters. A file each for all that is known of one: its settings, their defaults, its formula
//! and paper, and what it records.
//!
//! In the formulas, p is a parameter and g its gradient, that of the mean loss of a batch. The kernels of the same names compute
//! them.

mod fused;
mod rule;

pub use fused::FusedUpdate;
pub use rule::Corrections;
pub(crate) use rule::Update;

use serde::{Deserialize, Serialize};

use self::rule::Rule;
use crate::kernels::DenseUpdate;
use crate::kernels::step::Step;
use crate::plan::{Arena, Launch, PlanBuilder, Tensor};
use crate::settings::SettingError;

/// Declares the module of each optimizer, whose name is the optimizer's in recipes, and makes of their settings one type.
macro_rules! optimizers {
    ($($module:ident::$settings:ident),+ $(,)?) => {
        $(mod $module;)+
        $(pub use $module::$settings;)+

        /// An optimizer with its settings; `name` says which in a recipe.
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "name", rename_all = "lowercase")]
        pub enum Optimizer {
            $(
                #[doc = concat!("See [`", stringify!($settings), "`](struct@", stringify!($settings), ").")]
                $settings($settings),
            )+
        }

        impl Optimizer {
            /// Names in recipes, in the order of [`Optimizer::all`].
            pub const NAMES: &[&str] = &[$(stringify!($module)),+];

            /// Every optimizer as published, or with usual settings where no paper names any.
            pub fn all() -> [Optimizer; Optimizer::NAMES.len()] {
                [$(Optimizer::$settings($settings::default())),+]
            }

            /// Name, as in recipes.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Optimizer::$settings(_) => stringify!($module),)+
                }
            }

            /// The learning rate.
            pub const fn learning_rate(&self) -> f64 {
                match self {
                    $(Optimizer::$settings(settings) => settings.learning_rate,)+
                }
            }

            /// The same optimizer at another learning rate.
            pub const fn with_learning_rate(mut self, rate: f64) -> Optimizer {
                match &mut self {
                    $(Optimizer::$settings(settings) => settings.learning_rate = rate,)+
                }
                self
            }

            fn rule(&self) -> &dyn Rule {
                match self {
                    $(Optimizer::$settings(settings) => settings,)+
                }
            }
        }

        $(
            impl From<$settings> for Optimizer {
                fn from(settings: $settings) -> Optimizer {
                    Optimizer::$settings(settings)
                }
            }
        )+
    };
}

optimizers! {
    sgd::Sgd,
    momentum::Momentum,
    nesterov::Nesterov,
    rmsprop::RmsProp,
    adagrad::Adagrad,
    adam::Adam,
    adamw::AdamW,
    lion::Lion,
    nadam::NAdam,
    radam::RAdam,
    muon::Muon,
}

impl Optimizer {
    /// The optimizer of that name, with its defaults.
    pub fn named(name: &str) -> Option<Optimizer> {
        Optimizer::all().into_iter().find(|optimizer| optimizer.name() == name)
    }

    /// Gradient descent at its default rate.
    pub fn sgd() -> Optimizer {
        Sgd::default().into()
    }

    /// Adam as published.
    pub fn adam() -> Optimizer {
        Adam::default().into()
    }

    /// The weight decay where a configuration names none.
    pub fn default_weight_decay(&self) -> f64 {
        self.rule().default_weight_decay()
    }

    /// Checks its settings.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<(), SettingError> {
        rule::check_learning_rate("optimizer.learning_rate", self.learning_rate())?;
        self.rule().check()
    }

    /// What update `t`, counted from 1, corrects gradients and moments by.
    pub fn corrections(&self, t: u64) -> Corrections {
        self.rule().corrections(t)
    }

    /// Sets the scalars that its kernels read in update `t`, counted from 1, at `factor` times the learning rate.
    pub fn set_scalars(&self, step: &mut Step, t: u64, factor: f64) {
        let Corrections { gradient, first_moment, second_moment } = self.corrections(t);
        step.learning_rate = (self.learning_rate() * factor) as f32;
        step.gradient_correction = gradient as f32;
        step.first_moment_correction = first_moment as f32;
        step.second_moment_correction = second_moment as f32;
    }

    /// The learning rate of a parameter of this shape, as a multiple of [`Optimizer::learning_rate`].
    pub(crate) fn rate_factor(&self, shape: &[usize]) -> f64 {
        self.rule().rate_factor(shape)
    }

    /// Tensors for the state that it keeps of an arena of parameters, all zero at first.
    pub(crate) fn state(&self, plan: &mut PlanBuilder, parameters: &Arena) -> Vec<Tensor> {
        self.rule().state(plan, parameters)
    }

    /// Appends the update to the training phase.
    pub(crate) fn record(&self, update: &mut Update<'_>) {
        self.rule().record(update);
    }

    /// The launch that makes the gradient of a dense layer's parameters and updates them by it, where there is one for this rule. Its
    /// arguments, which it is without, are the product's operands, the parameters and their state.
    pub(crate) fn fused(&self, parameters: DenseUpdate) -> Option<Launch> {
        self.rule().fused(parameters)
    }
}

impl std::fmt::Display for Optimizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", self.rule().title(), self.learning_rate())
    }
}
