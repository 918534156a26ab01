//! Trains on arrays of one's own, predicts, and keeps the model.
//!
//! The examples are 600 points around the corners of a regular tetrahedron, one corner a class. Each point is its corner plus
//! noise of deviation 0.5: the sum of four uniform numbers in [-0.5, 0.5), less its mean, times the root of 3 and 0.5. The
//! fourth feature is noise alone. Corners are 2.8 apart, so some points lie nearer to another corner than to their own.
//!
//! Run it with `cargo run --release --example own_arrays`.

use gpunet::optim::Adam;
use gpunet::{Dataset, Device, Model, Split, Trainer};

/// Features of each example.
const FEATURES: usize = 4;

/// The next number of a linear congruential generator (Knuth, MMIX), uniform in [0, 1).
fn uniform(state: &mut u64) -> f32 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 40) as f32 / (1u64 << 24) as f32
}

/// `count` points, [count, 4], and their classes, [count].
fn points(count: u32, seed: u64) -> (Vec<f32>, Vec<u32>) {
    const CORNERS: [[f32; 3]; 4] = [[1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]];
    let mut state = seed;
    let mut noise = || 0.5 * 3f32.sqrt() * ((0..4).map(|_| uniform(&mut state)).sum::<f32>() - 2.0);
    let classes: Vec<u32> = (0..count).map(|example| example % 4).collect();
    let point = |&class: &u32| {
        let [x, y, z] = CORNERS[class as usize];
        [x + noise(), y + noise(), z + noise(), noise()]
    };
    (classes.iter().flat_map(point).collect(), classes)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (x, y) = points(600, 1);
    let data = Dataset::from_features(&x, FEATURES, &y)?.split(Split::fractions(0.1, 0.1).seed(1))?;
    let adam = Adam { learning_rate: 0.01, ..Adam::default() };
    let run = Trainer::new("4-16-4".parse()?).optimizer(adam).epochs(20).device(Device::auto()?).fit(&data)?;
    println!("{:.1} % of the test set", 100.0 * run.test()?.accuracy());

    let (new_x, new_y) = points(1000, 2);
    let classes: Vec<u32> = run.model.predict(&new_x)?;
    let correct = classes.iter().zip(&new_y).filter(|(class, label)| class == label).count();
    println!("{:.1} % of 1,000 new points", 100.0 * correct as f64 / 1000.0);
    if correct < 970 {
        return Err("it should classify at least 97 % of new points correctly".into());
    }

    let file = tempfile::tempdir()?;
    let file = file.path().join("corners.safetensors");
    run.model.save(&file)?;
    let loaded = Model::load(&file)?;
    println!("a point at the first corner: {:.3?}", loaded.probabilities(&[1.0f32, 1.0, 1.0, 0.0])?);
    assert_eq!(loaded.predict(&new_x)?, classes);
    Ok(())
}
