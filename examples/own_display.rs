//! Events of training in a display of one's own, which also stops the run: a line of blocks an epoch, until the validation set
//! is classified well enough.
//!
//! Run it with `cargo run --release --example own_display`.

use std::ops::ControlFlow;

use gpunet::{Dataset, Device, Ending, Event, Split, Trainer};

/// Validation accuracy that is enough.
const ENOUGH: f64 = 0.97;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 1,000 points of a 20 x 50 grid on the unit square, [1000, 2]; class 1 lies within 0.4 of the centre.
    let x: Vec<f32> = (0..1000).flat_map(|i| [(i % 20) as f32 / 19.0, (i / 20) as f32 / 49.0]).collect();
    let is_inside = |point: &[f32]| (point[0] - 0.5).powi(2) + (point[1] - 0.5).powi(2) < 0.16;
    let y: Vec<u32> = x.chunks(2).map(|point| u32::from(is_inside(point))).collect();
    let data = Dataset::from_features(&x, 2, &y)?.split(Split::fractions(0.2, 0.2))?;

    let mut fractions = Vec::new();
    let run = Trainer::new("2-32-32-2".parse()?)
        .optimizer(gpunet::optim::Adam { learning_rate: 0.005, ..Default::default() })
        .batch(20)
        .epochs(200)
        .device(Device::auto()?)
        .on_event(|event| {
            match event {
                Event::Started { train, validation, test, .. } => println!("{train} + {validation} + {test} examples"),
                // Batches come many at a time on a fast device.
                Event::Batches { so_far, .. } => fractions.push(so_far.accuracy()),
                Event::Epoch { record, .. } => {
                    let accuracy = record.val_accuracy.unwrap_or(0.0);
                    println!("{:>3} {:<50} {accuracy:.3}", record.epoch, "#".repeat((50.0 * accuracy) as usize));
                    if accuracy >= ENOUGH {
                        return ControlFlow::Break(());
                    }
                }
                _ => {}
            }
            ControlFlow::Continue(())
        })
        .fit(&data)?;
    println!("{} events of batches, {} epochs", fractions.len(), run.history.len());
    println!("{:.1} % of the test set", 100.0 * run.test()?.accuracy());
    if run.ending != Ending::Stopped {
        return Err("the handler should have stopped the run".into());
    }
    Ok(())
}
