//! Global average pooling.

use toml::Table;

use super::notation::{exactly, maps, no_settings};
use super::pooling::Windows;
use super::{Layer, LayerTensors, Notation, Parameter, Part, Place, Recorder, SectionError, Unread, Values};
use crate::math::shape::Shape;
use crate::plan::Tensor;

/// The mean of each map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GlobalAvgPool(pub Windows);

impl Notation for GlobalAvgPool {
    const KIND: &'static str = "global-avg-pool";
    const MEANING: &'static str = "global average pooling (GAP)";
    const PART: Part = Part::Other;

    fn parse(token: &str, input: Shape) -> Result<GlobalAvgPool, Unread> {
        exactly("GAP", token)?;
        maps("pooling", input)?;
        Ok(GlobalAvgPool(Windows { input, window: None }))
    }

    fn token_of_section(settings: &Table) -> Result<String, SectionError> {
        no_settings(settings)?;
        Ok("GAP".to_string())
    }

    fn token(&self) -> String {
        "GAP".to_string()
    }

    fn output(&self) -> Shape {
        Shape::Features(self.0.input.channels())
    }

    fn takes_maps(&self) -> bool {
        true
    }

    fn placed(self, _place: Place) -> GlobalAvgPool {
        self
    }
}

impl Layer for GlobalAvgPool {
    fn kind(&self) -> &'static str {
        "avg_pool"
    }

    fn describe(&self) -> String {
        self.0.describe("avg pool")
    }

    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn forward_flops(&self) -> u64 {
        self.0.flops()
    }

    fn forward(&self, recorder: &mut Recorder<'_>, input: Values, _tensors: &LayerTensors) -> Values {
        self.0.averages(recorder, input)
    }

    fn backward(
        &self,
        recorder: &mut Recorder<'_>,
        input: Values,
        output_grad: Tensor,
        _tensors: &LayerTensors,
        wants_input_grad: bool,
    ) -> Option<Tensor> {
        wants_input_grad.then(|| self.0.averages_grad(recorder, input, output_grad))
    }
}
