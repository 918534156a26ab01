//! Conditions that every plan must satisfy before a backend may load it.
//!
//! Shaders run without bounds checks, so the length check here keeps them inside their buffers.

use std::collections::HashSet;

use thiserror::Error;

use super::{LOG_ROWS, Launch, Phase, Plan, TensorInfo};
use crate::kernels::kernel::{Access, DType};

/// A recording that no backend can run correctly. Mistakes in layers or kernels cause it; users cannot.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("internal error, please report it: launch {index} of phase {phase} ({kernel}): {problem}")]
pub struct PlanError {
    /// Phase of the launch.
    pub phase: &'static str,
    /// Index of the launch within the phase.
    pub index: usize,
    /// Its kernel.
    pub kernel: &'static str,
    /// What is wrong.
    pub problem: String,
}

pub(super) fn check(plan: &Plan) -> Result<(), PlanError> {
    check_tensors(plan).map_err(|problem| PlanError { phase: "-", index: 0, kernel: "-", problem })?;
    for phase in Phase::ALL {
        for (index, launch) in plan.launches(phase).iter().enumerate() {
            check_launch(plan, launch).map_err(|problem| PlanError {
                phase: phase.name(),
                index,
                kernel: launch.kernel.name,
                problem,
            })?;
        }
    }
    Ok(())
}

fn check_tensors(plan: &Plan) -> Result<(), String> {
    let mut names = HashSet::new();
    for (_, tensor) in plan.tensors() {
        if !names.insert(&tensor.name) {
            return Err(format!("two tensors are called {}", tensor.name));
        }
        if tensor.is_empty() {
            return Err(format!("tensor {} is empty: {:?}", tensor.name, tensor.shape));
        }
        if tensor.range().end > plan.buffers()[tensor.buffer].len {
            return Err(format!("tensor {} ends outside its buffer", tensor.name));
        }
    }
    match plan.log.map(|log| plan.tensor(log)) {
        Some(log) if log.shape != [LOG_ROWS, 2] || log.dtype != DType::F32 => {
            Err(format!("the log is {} {:?} instead of f32 [{LOG_ROWS}, 2]", log.name, log.shape))
        }
        _ => Ok(()),
    }
}

fn check_launch(plan: &Plan, launch: &Launch) -> Result<(), String> {
    let kernel = launch.kernel;
    for (what, given, declared) in [
        ("parameters", launch.params.len(), kernel.fields.len()),
        ("constants", launch.constants.len(), kernel.constants.len()),
        ("arguments", launch.args.len(), kernel.slots.len()),
    ] {
        if given != declared {
            return Err(format!("{given} {what} for {declared}"));
        }
    }
    let args: Vec<&TensorInfo> = launch.args.iter().map(|&tensor| plan.tensor(tensor)).collect();
    for ((slot, arg), needed) in kernel.slots.iter().zip(&args).zip((kernel.lengths)(&launch.params)) {
        if slot.dtype != arg.dtype && !(slot.or_half && arg.dtype == DType::F16) {
            return Err(format!("slot {} is {:?}, tensor {} is {:?}", slot.name, slot.dtype, arg.name, arg.dtype));
        }
        if arg.len() < needed {
            return Err(format!("slot {} needs {needed} elements, tensor {} has {}", slot.name, arg.name, arg.len()));
        }
    }
    let in_half = |(_, arg): &(_, &&TensorInfo)| arg.dtype == DType::F16;
    let mut either = kernel.slots.iter().zip(&args).filter(|(slot, _)| slot.or_half);
    let first = either.next().map(|first| in_half(&first));
    if either.any(|other| Some(in_half(&other)) != first) {
        return Err("some of its activations are in half precision, others are not".to_string());
    }
    // WebGPU forbids reading and writing the same buffer in one dispatch, even at disjoint ranges.
    for (i, slot) in kernel.slots.iter().enumerate().filter(|(_, slot)| slot.access != Access::Read) {
        if plan.constants.iter().any(|(constant, _)| *constant == launch.args[i]) {
            return Err(format!("slot {} is written, but tensor {} is a constant", slot.name, args[i].name));
        }
        if let Some(other) = (0..args.len()).find(|&j| j != i && args[j].buffer == args[i].buffer) {
            return Err(format!(
                "slot {} is written and shares its buffer with slot {}",
                slot.name, kernel.slots[other].name
            ));
        }
    }
    for (name, most) in [("batch", plan.bounds.batch), ("examples", plan.bounds.positions)] {
        let field = kernel.fields.iter().position(|field| field.name == name && kernel.uses_step);
        if let Some(value) = field.map(|field| launch.params[field] as usize).filter(|&value| value < most) {
            return Err(format!("it is launched for {name} = {value}, but steps may have {most}"));
        }
    }
    if (kernel.grid)(&launch.params).contains(&0) {
        return Err("its grid is empty".to_string());
    }
    Ok(())
}
