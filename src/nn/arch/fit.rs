//! Whether a network's two ends fit a data set.

use thiserror::Error;

use super::Arch;
use crate::data::Dataset;
use crate::math::shape::Shape;

/// An architecture that does not fit the data.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum FitError {
    #[error(
        "arch {arch} takes {inputs} inputs, but an example of {data} has {features} features: begin the arch with {features}, or with \
         {shape} for convolutions"
    )]
    Inputs { arch: String, inputs: usize, data: String, features: usize, shape: Shape },
    #[error(
        "arch {arch} takes maps of {input}, but an example of {data} is {shape}: begin the arch with {shape}{}", hint(*.shape)
    )]
    Shape { arch: String, input: Shape, data: String, shape: Shape },
    #[error("arch {arch} ends in {outputs} outputs, but {data} has {classes} classes: end the arch with {classes}")]
    Outputs { arch: String, outputs: usize, data: String, classes: usize },
}

impl Arch {
    /// Checks that the network takes the examples of `dataset` and tells its classes apart.
    ///
    /// # Errors
    /// Which end of the architecture does not fit.
    pub fn check_data(&self, dataset: &Dataset) -> Result<(), FitError> {
        let (arch, data, classes) = (self.to_string(), dataset.name.clone(), dataset.classes.len());
        let (input, shape, features) = (self.input(), dataset.shape_of_example, dataset.features);
        if self.inputs() != features {
            return Err(FitError::Inputs { arch, inputs: self.inputs(), data, features, shape });
        }
        if matches!((input, shape), (Shape::Maps { .. }, Shape::Maps { .. })) && input != shape {
            return Err(FitError::Shape { arch, input, data, shape });
        }
        if self.outputs() != classes {
            return Err(FitError::Outputs { arch, outputs: self.outputs(), data, classes });
        }
        Ok(())
    }
}

/// What to say of a shape that looks as if its colours came last.
fn hint(shape: Shape) -> &'static str {
    match shape {
        Shape::Maps { channels: 5.., width: 1 | 3 | 4, .. } => {
            "; if its colours come last, write the file anew as [count, channels, rows, columns]"
        }
        _ => "",
    }
}
