//! Builds meganeura's graph from gpunet's notation.

use anyhow::{Result, bail, ensure};
use case::{BATCHES, Case, Layer};
use meganeura::{Graph, NodeId};

/// A parameter of the graph and its initial values.
pub struct Parameter {
    pub name: String,
    pub values: Vec<f32>,
}

/// The graph being built.
struct Builder<'a> {
    graph: Graph,
    case: &'a Case,
    batch: usize,
    parameters: Vec<Parameter>,
}

/// The values between two layers: `[batch, channels, rows, columns]`, flat.
#[derive(Clone, Copy)]
struct Maps {
    node: NodeId,
    maps: usize,
    rows: usize,
    columns: usize,
}

/// The graph of the mean cross-entropy over the examples number `rows` `[batch]`. All examples are constants, since
/// inputs would be copied from the host in every step.
pub fn graph(arch: &str, case: &Case, batch: usize) -> Result<(Graph, Vec<Parameter>)> {
    let ([maps, rows, columns], layers) = case::layers(arch)?;
    let mut builder = Builder { graph: Graph::new(), case, batch, parameters: Vec::new() };
    let indices = builder.graph.input_u32("rows", &[batch]);
    let images = case.batches.iter().flat_map(|batch| batch.images.iter().copied()).collect();
    let images = builder.examples(indices, images);
    let node = builder.graph.reshape(images, &[batch * maps * rows * columns]);
    let mut x = Maps { node, maps, rows, columns };
    let mut parameterized = 0;
    for layer in layers {
        x = match layer {
            Layer::Dense => builder.dense(x, parameterized)?,
            Layer::Convolution { padding } => builder.convolution(x, parameterized, padding)?,
            Layer::MaxPool { size: 2 } => builder.max_pool(x)?,
            Layer::MaxPool { size } => bail!("max pooling is implemented here for windows of 2x2, not {size}x{size}"),
            Layer::BatchNorm => bail!("meganeura has no batch normalization"),
            Layer::Relu => Maps { node: builder.graph.relu(x.node), ..x },
        };
        parameterized += usize::from(matches!(layer, Layer::Dense | Layer::Convolution { .. }));
    }
    let classes = x.maps;
    let one_hot = |&label: &u32| (0..classes).map(move |class| if class == label as usize { 1.0 } else { 0.0 });
    let labels = case.batches.iter().flat_map(|batch| batch.labels.iter().flat_map(one_hot)).collect();
    let labels = builder.examples(indices, labels);
    let loss = builder.graph.cross_entropy_loss(x.node, labels);
    builder.graph.set_outputs(vec![loss]);
    Ok((builder.graph, builder.parameters))
}

impl Builder<'_> {
    /// The rows `indices` `[batch]` of a table of all examples: `[batch, row length]`, without a gradient.
    fn examples(&mut self, indices: NodeId, table: Vec<f32>) -> NodeId {
        let count = BATCHES * self.batch;
        let length = table.len() / count;
        let table = self.graph.constant(table, &[count, length]);
        let rows = self.graph.embedding(indices, table);
        self.graph.stop_gradient(rows)
    }

    fn dense(&mut self, x: Maps, index: usize) -> Result<Maps> {
        let inputs = x.maps * x.rows * x.columns;
        let weight = self.case.parameter(index, "weight")?.transposed();
        let units = weight.shape[1];
        let weight = self.parameter(index, "weight", &[inputs, units], weight.values);
        let bias = self.parameter(index, "bias", &[units], self.case.parameter(index, "bias")?.values);
        let flat = self.graph.reshape(x.node, &[self.batch, inputs]);
        let product = self.graph.matmul(flat, weight);
        Ok(Maps { node: self.graph.bias_add(product, bias), maps: units, rows: 1, columns: 1 })
    }

    fn convolution(&mut self, x: Maps, index: usize, padding: usize) -> Result<Maps> {
        let weight = self.case.parameter(index, "weight")?;
        let [maps, channels, size, _] = weight.shape[..] else { bail!("convolution weights have four dimensions") };
        let weight = self.parameter(index, "weight", &[weight.values.len()], weight.values);
        let bias = self.parameter(index, "bias", &[maps], self.case.parameter(index, "bias")?.values);
        let [batch, channels, rows, columns, out, window, padding] =
            [self.batch, channels, x.rows, x.columns, maps, size, padding].map(|size| size as u32);
        let sums = self.graph.conv2d(x.node, weight, batch, channels, rows, columns, out, window, window, 1, padding);
        let [rows, columns] = [rows, columns].map(|size| size + 2 * padding + 1 - window);
        let node = self.graph.add_per_channel(sums, bias, out, rows * columns);
        Ok(Maps { node, maps, rows: rows as usize, columns: columns as usize })
    }

    /// Max pooling over 2x2: the maximum of every two columns, then of every two rows. meganeura's own `max_pool_2d` is
    /// not used, because its gradient is not that of the maximum.
    fn max_pool(&mut self, x: Maps) -> Result<Maps> {
        ensure!(x.rows.is_multiple_of(2) && x.columns.is_multiple_of(2), "windows of 2x2 need even rows and columns");
        let rows = self.batch * x.maps * x.rows;
        let halved = self.greater(x.node, rows * x.columns / 2, 1);
        let node = self.greater(halved, rows / 2, x.columns / 2);
        Ok(Maps { node, maps: x.maps, rows: x.rows / 2, columns: x.columns / 2 })
    }

    /// The elementwise maximum of `x[.., 0, ..]` and `x[.., 1, ..]`, for `x` `[count, 2, length]`.
    fn greater(&mut self, x: NodeId, count: usize, length: usize) -> NodeId {
        let (count, length) = (count as u32, length as u32);
        let a = self.graph.split_a(x, count, 1, 1, length);
        let b = self.graph.split_b(x, count, 1, 1, length);
        // max(a, b) = b + relu(a - b)
        let negative = self.graph.neg(b);
        let difference = self.graph.add(a, negative);
        let excess = self.graph.relu(difference);
        self.graph.add(b, excess)
    }

    fn parameter(&mut self, index: usize, name: &str, shape: &[usize], values: Vec<f32>) -> NodeId {
        let name = format!("layers.{index}.{name}");
        let node = self.graph.parameter(&name, shape);
        self.parameters.push(Parameter { name, values });
        node
    }
}
