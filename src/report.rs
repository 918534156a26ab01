//! What runs came to, to be compared: learning curves and other charts, as pictures.
//!
//! A [`Chart`] says what is shown, [`Chart::draw`] how it looks. Only this module names the plotting library.

mod axis;
mod bitmap;
mod chart;
mod curves;
mod draw;
mod legend;
mod line;
mod panel;
mod picture;
mod range;
mod style;

pub use axis::{Axis, Scale};
pub use chart::{Chart, Curve, Mark, Panel, Stroke};
pub use curves::{LearningCurve, learning_curves};
pub use picture::{Picture, PictureError};
pub use range::{range_curve, two_digits};
