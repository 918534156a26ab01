//! A plan as text, one launch per line.

use std::fmt;

use super::{Launch, Phase, Plan, When};
use crate::kernels::kernel::Scalar;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "tensors")?;
        for (_, tensor) in self.tensors() {
            let shape: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
            let dtype = format!("{:?}", tensor.dtype).to_lowercase();
            let role = tensor.role.name();
            write!(f, "  {:<28} {:<16} {dtype:<4} {role}", tensor.name, format!("[{}]", shape.join(", ")))?;
            let buffer = &self.buffers()[tensor.buffer].name;
            writeln!(f, "{}", if *buffer == tensor.name { String::new() } else { format!(", in {buffer}") })?;
        }
        for phase in Phase::ALL.into_iter().filter(|&phase| !self.launches(phase).is_empty()) {
            writeln!(f, "phase {}", phase.name())?;
            for (index, launch) in self.launches(phase).iter().enumerate() {
                writeln!(f, "  {index:>3}  {}", self.render(launch))?;
            }
        }
        Ok(())
    }
}

impl Plan {
    /// `kernel(slot=tensor, ..) {param=value, ..} <constant=value, ..>`.
    pub fn render(&self, launch: &Launch) -> String {
        let kernel = launch.kernel;
        let args = kernel
            .slots
            .iter()
            .zip(&launch.args)
            .map(|(slot, &arg)| format!("{}={}", slot.name, self.tensor(arg).name));
        let params = kernel.fields.iter().zip(&launch.params).map(|(field, &word)| match field.scalar {
            Scalar::U32 => format!("{}={word}", field.name),
            Scalar::F32 => format!("{}={}", field.name, f32::from_bits(word)),
        });
        let constants = kernel.constants.iter().zip(&launch.constants).map(|(name, value)| format!("{name}={value}"));
        let mut text = format!("{}({})", kernel.name, args.collect::<Vec<_>>().join(", "));
        for (open, items, close) in [(" {", params.collect::<Vec<_>>(), "}"), (" <", constants.collect(), ">")] {
            if !items.is_empty() {
                text += &format!("{open}{}{close}", items.join(", "));
            }
        }
        if launch.when == When::Update {
            text += " at updates";
        }
        text
    }
}
