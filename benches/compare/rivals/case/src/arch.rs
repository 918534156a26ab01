//! gpunet's notation for networks, as far as the compared ones use it.

use anyhow::{Context, Result};

/// A layer with its activation left out: those with parameters are followed by a ReLU, except where batch
/// normalization comes between, and the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layer {
    /// `500`.
    Dense,
    /// `6C5p2`: square windows, a stride of one.
    Convolution { padding: usize },
    /// `MP2`: square windows, as far apart as they are large.
    MaxPool { size: usize },
    /// `BN`.
    BatchNorm,
    /// Not written in the notation.
    Relu,
}

/// The shape `[maps, rows, columns]` of an example (features are maps of one pixel) and the layers of a network.
pub fn layers(arch: &str) -> Result<([usize; 3], Vec<Layer>)> {
    let mut tokens = arch.split('-');
    let sizes = tokens.next().unwrap_or_default().split('x').map(|size| size.parse().context("a size of the inputs"));
    let input = match sizes.collect::<Result<Vec<usize>>>()?[..] {
        [features] => [features, 1, 1],
        [maps, rows, columns] => [maps, rows, columns],
        _ => anyhow::bail!("{arch} does not begin with features, or maps x rows x columns"),
    };
    let tokens: Vec<&str> = tokens.collect();
    let mut layers = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let layer =
            layer(token).with_context(|| format!("{token} in {arch} is not a layer of the compared networks"))?;
        layers.push(layer);
        let normalized_next = tokens.get(i + 1) == Some(&"BN");
        let last = i + 1 == tokens.len();
        if !matches!(layer, Layer::MaxPool { .. }) && !normalized_next && !last {
            layers.push(Layer::Relu);
        }
    }
    Ok((input, layers))
}

fn layer(token: &str) -> Result<Layer> {
    if token == "BN" {
        return Ok(Layer::BatchNorm);
    }
    if let Some(size) = token.strip_prefix("MP") {
        return Ok(Layer::MaxPool { size: size.parse()? });
    }
    // Maps, units and windows are read off the parameters' shapes.
    let Some((_maps, window)) = token.split_once('C') else {
        return token.parse::<usize>().map(|_units| Layer::Dense).map_err(Into::into);
    };
    let (_size, padding) = window.split_once('p').unwrap_or((window, "0"));
    Ok(Layer::Convolution { padding: padding.parse()? })
}
