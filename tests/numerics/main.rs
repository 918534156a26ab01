//! What is computed: kernels, plans, gradients and training, on every backend, against PyTorch, central differences and each other.

#[path = "../harness/mod.rs"]
mod harness;
#[allow(dead_code, reason = "some of it is for timing")]
#[path = "../../benches/kernels/launches.rs"]
mod launches;

mod agreement;
mod benches;
mod determinism;
mod divergence;
mod fused_updates;
mod golden;
mod golden_activations;
mod golden_layers;
mod golden_losses;
mod golden_optimizers;
mod golden_schedules;
mod gradcheck;
mod library;
mod losses;
mod memory;
mod mixed_precision;
mod muon;
mod parity;
mod plans;
mod planted_bugs;
mod planted_plan_bugs;
mod range_test;
mod settings;
mod settings_text;
mod shaders;
mod subnormals;
mod training;
mod tuning;
