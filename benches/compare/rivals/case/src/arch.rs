//! Parses gpunet's notation for networks, as far as the networks of the comparison use it.

use anyhow::{Context, Result};

/// A layer without its activation. A ReLU follows every layer with parameters, except the last one and those directly
/// before batch normalization.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layer {
    /// `500`.
    Dense,
    /// `6C5p2`: square windows with stride 1.
    Convolution { padding: usize },
    /// `MP2`: square windows. The stride is the size of the window.
    MaxPool { size: usize },
    /// `BN`.
    BatchNorm,
    /// ReLU, which the notation does not write.
    Relu,
}

/// The shape `[channels, rows, columns]` of an example and the layers of a network. Features are channels of one pixel.
pub fn layers(arch: &str) -> Result<([usize; 3], Vec<Layer>)> {
    let mut tokens = arch.split('-');
    let sizes = tokens
        .next()
        .unwrap_or_default()
        .split('x')
        .map(|size| size.parse().context("the size of the input is not a number"));
    let input = match sizes.collect::<Result<Vec<usize>>>()?[..] {
        [features] => [features, 1, 1],
        [maps, rows, columns] => [maps, rows, columns],
        _ => anyhow::bail!("{arch} must begin with a number of features, or with channels x rows x columns"),
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
    // Channels, units and window sizes come from the shapes of the parameters.
    let Some((_maps, window)) = token.split_once('C') else {
        return token.parse::<usize>().map(|_units| Layer::Dense).map_err(Into::into);
    };
    let (_size, padding) = window.split_once('p').unwrap_or((window, "0"));
    Ok(Layer::Convolution { padding: padding.parse()? })
}
