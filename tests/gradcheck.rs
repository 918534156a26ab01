//! Every gradient against central differences of the loss, in f64, for a loss scale other than one.

mod harness;

use gpunet::optim::Optimizer;
use harness::{Small, check_gradients};

#[test]
fn gradients_are_the_slopes_of_the_loss() {
    for arch in ["5-3", "6-5-4", "7-9-5-4", "1-1", "1-4-2", "3-1-1-2"] {
        for rows in [6, 4, 1] {
            let small = Small::new(arch, 6, Optimizer::sgd(), 3.0);
            check_gradients(&small, rows, 3.0).unwrap_or_else(|mismatch| panic!("{arch}, {rows} rows: {mismatch}"));
        }
    }
}
