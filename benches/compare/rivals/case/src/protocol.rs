//! The other end of `contender.py`: a line of JSON after the first steps, then one for each line on stdin.

use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{BATCHES, Case};

/// What the rivals are built from: the versions in it are those that run.
const LOCK_FILE: &str = include_str!("../../Cargo.lock");

/// Steps whose losses are compared: three times through all batches.
const CHECKED_STEPS: usize = 3 * BATCHES;

/// A network in training.
pub trait Network {
    /// The device, as the library calls it.
    fn device(&self) -> String;
    /// Takes up the initial parameters, and all moments of Adam are zero again.
    fn reset(&mut self) -> Result<()>;
    /// Begins a step on one of the batches; it need not be done when this returns.
    fn step(&mut self, batch: usize) -> Result<()>;
    /// Mean loss of the latest step, before its update.
    fn loss(&mut self) -> Result<f32>;
    /// Waits for all that was begun.
    fn wait(&mut self) -> Result<()>;
}

/// What the arguments say.
pub struct Start {
    /// Examples and initial parameters.
    pub case: Case,
    /// The network in gpunet's notation.
    pub arch: String,
    /// Examples a step.
    pub batch: usize,
}

impl Start {
    /// Reads the arguments `CASE ARCH BATCH`.
    pub fn from_arguments() -> Result<Start> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [case, arch, batch] = &arguments[..] else { bail!("the arguments are CASE ARCH BATCH") };
        let batch = batch.parse().context("the batch size is no number")?;
        Ok(Start { case: Case::read(case, batch)?, arch: arch.clone(), batch })
    }
}

/// Trains with a crate as the lines on stdin say: `reset`, or a number of steps to time. Ends with stdin.
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
                let steps: usize = steps.parse().context("neither `reset` nor a number of steps")?;
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
