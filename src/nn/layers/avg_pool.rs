//! Average pooling.

use toml::Table;

use super::pooling::{self, Windows};
use super::{Layer, LayerTensors, Notation, Parameter, Part, Place, Recorder, SectionError, Unread, Values};
use crate::math::shape::Shape;
use crate::plan::Tensor;

/// The mean of each window of each map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AvgPool(pub Windows);

impl Notation for AvgPool {
    const KIND: &'static str = "avg-pool";
    const MEANING: &'static str = "average pooling (AP2, AP3s2)";
    const PART: Part = Part::Other;

    fn parse(token: &str, input: Shape) -> Result<AvgPool, Unread> {
        Windows::parse("AP", token, input).map(AvgPool)
    }

    fn token_of_section(settings: &Table) -> Result<String, SectionError> {
        pooling::token_of_section("AP", settings)
    }

    fn token(&self) -> String {
        self.0.token("AP")
    }

    fn output(&self) -> Shape {
        self.0.output()
    }

    fn takes_maps(&self) -> bool {
        true
    }

    fn placed(self, _place: Place) -> AvgPool {
        self
    }
}

impl Layer for AvgPool {
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
