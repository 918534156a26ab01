//! A run in a folder that stops and goes on: it ends in the same bits as a run without the stop.
//!
//! The folder is what `gpunet train` writes, so that `gpunet compare` and other programs read it too.
//!
//! Run it with `cargo run --release --example resume`.

use std::ops::ControlFlow;

use gpunet::optim::Momentum;
use gpunet::{Dataset, Device, Ending, Event, Split, Trainer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 900 bytes a column, [900, 3]: class c has its largest value in column c.
    let x: Vec<u8> = (0..900u32)
        .flat_map(|i| {
            let (largest, other) = (255 - i * 13 % 128, move |column| (i * 37 + column * 101) % 128);
            (0..3).map(move |column| if column == i % 3 { largest } else { other(column) } as u8)
        })
        .collect();
    let y: Vec<u32> = (0..900).map(|i| i % 3).collect();
    let data = Dataset::from_features(&x, 3, &y)?.named("largest of three").split(Split::fractions(0.1, 0.1))?;
    let trainer = || Ok::<_, gpunet::Error>(Trainer::new("3-16-3".parse()?).optimizer(Momentum::default()).epochs(8));

    let folder = tempfile::tempdir()?;
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let whole = trainer()?.device(Device::auto()?).run_folder(whole).fit(&data)?;

    // A handler stops the run, as a user or a failure might, after the third epoch.
    let stop = |event: Event<'_>| match event {
        Event::Epoch { record, .. } if record.epoch == 3 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let stopped = trainer()?.device(Device::auto()?).run_folder(&parts).on_event(stop).fit(&data)?;
    println!("stopped after epoch {}", stopped.history.len());
    assert_eq!((stopped.ending, stopped.history.len()), (Ending::Stopped, 3));

    let resumed = Trainer::resume(&parts)?.device(Device::auto()?).fit(&data)?;
    println!("resumed up to epoch {}", resumed.history.len());
    println!("{:.1} % of the test set", 100.0 * resumed.test()?.accuracy());
    if resumed.model.logits(&x)? != whole.model.logits(&x)? {
        return Err("a run that goes on should end in the same bits".into());
    }
    Ok(())
}
