//! A graph as GraphML, which Gephi, Cytoscape, networkx and igraph read.

use std::fmt::Write;

use super::{Direction, Series, TimedGraph, Weight};

/// What an edge of the file carries, and where it points: needs the series, whose samples are the nodes.
#[derive(Debug, Clone)]
pub struct Drawn<'a> {
    /// The series; its sample `i` is node `i`.
    pub series: &'a Series<'a>,
    /// The weight of an edge.
    pub weight: Weight,
    /// Where it points.
    pub direction: Direction,
}

impl TimedGraph {
    /// The graph as GraphML: nodes `n0`, `n1`, ... with their time (s) and, with `drawn`, their value; edges with their weight.
    ///
    /// ```
    /// use chiasm_analysis::timeseries_graph::{Graph, TimedGraph};
    /// let timed = TimedGraph { graph: Graph::from_edges(2, &[(0, 1)])?, times_s: vec![0.0, 0.5] };
    /// assert!(timed.graphml(None).contains(r#"<edge source="n0" target="n1">"#));
    /// # Ok::<(), chiasm_core::Failure>(())
    /// ```
    #[must_use]
    pub fn graphml(&self, drawn: Option<&Drawn<'_>>) -> String {
        let directed = drawn.is_some_and(|d| d.direction != Direction::None);
        let mut text =
            String::with_capacity(90 * (self.graph.n_edges() + self.graph.n_nodes()) + 500);
        text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        text.push_str("<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n");
        for (key, of) in [("time", "node"), ("value", "node"), ("weight", "edge")] {
            let _ = writeln!(
                text,
                "  <key id=\"{key}\" for=\"{of}\" attr.name=\"{key}\" attr.type=\"double\"/>"
            );
        }
        let kind = if directed { "directed" } else { "undirected" };
        let _ = writeln!(text, "  <graph edgedefault=\"{kind}\">");
        for (i, time) in self.times_s.iter().enumerate() {
            let _ = write!(
                text,
                "    <node id=\"n{i}\"><data key=\"time\">{time}</data>"
            );
            if let Some(value) = drawn.and_then(|d| d.series.values().get(i)) {
                let _ = write!(text, "<data key=\"value\">{value}</data>");
            }
            text.push_str("</node>\n");
        }
        for (i, j) in self.graph.edges() {
            let (from, to) = drawn.map_or((i, j), |d| d.direction.of(d.series, i, j));
            let weight = drawn.map_or(1.0, |d| d.weight.of(d.series, i, j));
            let _ = writeln!(
                text,
                "    <edge source=\"n{from}\" target=\"n{to}\"><data key=\"weight\">{weight}</data></edge>"
            );
        }
        text.push_str("  </graph>\n</graphml>\n");
        text
    }
}
