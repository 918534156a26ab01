//! The rival's side of the protocol in `contender.py`: one line of JSON after the first steps, then one for each number
//! of steps read from stdin.

use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{BATCHES, Case};

/// The lock file of the rivals, which holds the versions of the crates.
const LOCK_FILE: &str = include_str!("../../Cargo.lock");

/// Steps whose losses are compared: three passes over the batches.
const CHECKED_STEPS: usize = 3 * BATCHES;

/// A network in training.
pub trait Network {
    /// The device, as the library calls it.
    fn device(&self) -> String;
    /// Restores the initial parameters and sets Adam's moments to zero.
    fn reset(&mut self) -> Result<()>;
    /// Begins a step on one of the batches. The step may still run when this returns.
    fn step(&mut self, batch: usize) -> Result<()>;
    /// Mean loss of the latest step, before its update.
    fn loss(&mut self) -> Result<f32>;
    /// Waits for all steps to finish.
    fn wait(&mut self) -> Result<()>;
}

/// The arguments of a rival's program.
pub struct Start {
    /// Examples and initial parameters.
    pub case: Case,
    /// The network in gpunet's notation.
    pub arch: String,
    /// Examples per step.
    pub batch: usize,
}

impl Start {
    /// Reads the arguments `CASE ARCH BATCH`.
    pub fn from_arguments() -> Result<Start> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [case, arch, batch] = &arguments[..] else { bail!("the arguments are CASE ARCH BATCH") };
        let batch = batch.parse().context("the batch size is not a number")?;
        Ok(Start { case: Case::read(case, batch)?, arch: arch.clone(), batch })
    }
}

/// Serves the protocol for the crate `name`: reads lines from stdin, `reset` or a number of steps to time, until it
/// ends.
pub fn serve(name: &str, mut network: impl Network) -> Result<()> {
    let begun = Instant::now();
    let (mut losses, mut first_step_ms) = (Vec::new(), 0.0);
    for step in 0..CHECKED_STEPS {
        network.step(step % BATCHES)?;
        losses.push(network.loss()?);
        if step == 0 {
            first_step_ms = begun.elapsed().as_secs_f64() * 1e3;
        }
    }
    let (version, device) = (version(name)?, network.device());
    say(&json!({
        "name": name, "version": version, "device": device, "losses": losses, "first_step_ms": first_step_ms
    }))?;
    let mut next = CHECKED_STEPS;
    for line in stdin().lock().lines() {
        match line?.as_str() {
            "reset" => {
                network.reset()?;
                network.wait()?;
                next = 0;
            }
            steps => {
                let steps: usize = steps.parse().context("a line is neither `reset` nor a number of steps")?;
                let begun = Instant::now();
                for step in next..next + steps {
                    network.step(step % BATCHES)?;
                }
                network.wait()?;
                next += steps;
                say(&json!({ "ms_per_step": begun.elapsed().as_secs_f64() * 1e3 / steps as f64 }))?;
            }
        }
    }
    Ok(())
}

fn version(name: &str) -> Result<&'static str> {
    let after = LOCK_FILE.split_once(&format!("name = \"{name}\"\nversion = \""));
    let version = after.and_then(|(_, version)| version.split('"').next());
    version.with_context(|| format!("Cargo.lock has no {name}"))
}

fn say(answer: &Value) -> Result<()> {
    let mut stdout = stdout().lock();
    writeln!(stdout, "{answer}")?;
    stdout.flush().map_err(Into::into)
}
