//! meganeura, doing gpunet's work, on the adapter that it chooses itself: `meganeura CASE ARCH BATCH`.

mod network;

use anyhow::Result;
use case::{Network, Start};
use meganeura::{Session, SessionConfig};

use crate::network::{Parameter, graph};

const LEARNING_RATE: f32 = 1e-4;

fn main() -> Result<()> {
    let start = Start::from_arguments()?;
    case::serve("meganeura", Training::new(&start)?)
}

struct Training {
    session: Session,
    parameters: Vec<Parameter>,
    batch: usize,
}

impl Training {
    fn new(start: &Start) -> Result<Training> {
        let (graph, parameters) = graph(&start.arch, &start.case, start.batch)?;
        let config = SessionConfig { tune: true, ..SessionConfig::default() };
        let (session, _) = meganeura::build(&graph, config);
        let mut training = Training { session, parameters, batch: start.batch };
        // With llvmpipe of Mesa 22, the first submission of a process gives wrong results for convolutions. So one step
        // without an update comes first.
        training.set_parameters();
        training.step(0)?;
        training.wait()?;
        training.session.set_adam(LEARNING_RATE, 0.9, 0.999, 1e-8);
        Ok(training)
    }

    fn set_parameters(&mut self) {
        for Parameter { name, values } in &self.parameters {
            self.session.set_parameter(name, values);
        }
    }
}

impl Network for Training {
    fn device(&self) -> String {
        self.session.device_information().device_name.clone()
    }

    fn reset(&mut self) -> Result<()> {
        self.set_parameters();
        for Parameter { name, values } in &self.parameters {
            let zeros = vec![0.0; values.len()];
            self.session.write_adam_m(name, &zeros);
            self.session.write_adam_v(name, &zeros);
        }
        self.session.set_adam_step_count(0);
        Ok(())
    }

    fn step(&mut self, batch: usize) -> Result<()> {
        let rows: Vec<u32> = (batch * self.batch..(batch + 1) * self.batch).map(|row| row as u32).collect();
        self.session.set_input_u32("rows", &rows);
        self.session.step();
        Ok(())
    }

    fn loss(&mut self) -> Result<f32> {
        self.wait()?;
        Ok(self.session.read_loss())
    }

    fn wait(&mut self) -> Result<()> {
        self.session.wait();
        Ok(())
    }
}
