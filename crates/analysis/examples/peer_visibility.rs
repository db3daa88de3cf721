//! Our side of `bench/peers/peer_visibility.py`: a visibility graph of a series read from a file, or its measures.
//!
//! `peer_visibility WORK FILE [TIMES]`: the files hold numbers (`f64`, little-endian). The works: `natural`, `horizontal`,
//! `natural-penetrable`, `horizontal-penetrable` (one sample), `stream` (natural, sample by sample), and `measures` (of the
//! natural graph: paths, clustering, assortativity and betweenness from all nodes).

#![allow(clippy::print_stdout)] // An example is a program: its output is its result.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use chiasm_analysis::timeseries_graph::measures::{
    assortativity, betweenness, clustering, components, paths,
};
use chiasm_analysis::timeseries_graph::{Graph, Series, Sight, Visibility, VisibilityStream};
use chiasm_core::{Quiet, Streams};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [work, file, rest @ ..] = arguments.as_slice() else {
        return Err("usage: peer_visibility WORK FILE [TIMES]".into());
    };
    let x = read(file)?;
    let times = rest.first().map(|f| read(f)).transpose()?;
    let series = match times {
        None => Series::even(&x, 0.0, 1.0)?,
        Some(t) => Series::timed(&x, t)?,
    };
    let repeats: usize = std::env::var("PEER_REPEATS").map_or(Ok(1), |v| v.parse())?;
    let mut seconds = Vec::new();
    let mut figures = String::new();
    if work == "measures" {
        let graph = Visibility::default().build(&series)?;
        for repeat in 0..=repeats {
            let start = Instant::now();
            figures = measures(&graph)?;
            if repeat > 0 {
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
    } else {
        for repeat in 0..=repeats {
            let start = Instant::now();
            let graph = black_box(build(work, &series)?);
            if repeat > 0 {
                seconds.push(start.elapsed().as_secs_f64());
            } else {
                figures = edges(&graph);
            }
        }
    }
    println!("{{\"seconds\": {seconds:?}, {figures}}}");
    Ok(())
}

fn build(work: &str, series: &Series<'_>) -> Result<Graph, Box<dyn Error>> {
    let penetrable = usize::from(work.ends_with("-penetrable"));
    let sight = match work.trim_end_matches("-penetrable") {
        "natural" => Sight::Natural,
        "horizontal" => Sight::Horizontal,
        "stream" => {
            let mut stream = VisibilityStream::new(Sight::Natural, usize::MAX);
            for (i, v) in series.values().iter().enumerate() {
                stream.push(series.time_s(i), *v)?;
            }
            return Ok(stream.graph());
        }
        other => return Err(format!("no work called {other}").into()),
    };
    let method = Visibility {
        sight,
        penetrable,
        ..Visibility::default()
    };
    Ok(method.build(series)?)
}

/// The number of edges, and a sum over them that does not depend on their order.
fn edges(graph: &Graph) -> String {
    let mix = |(i, j): (usize, usize)| {
        let key = ((i as u64) << 32) | j as u64;
        let mixed = (key ^ (key >> 29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed ^ (mixed >> 32)
    };
    let hash = graph.edges().map(mix).fold(0u64, u64::wrapping_add);
    format!("\"edges\": {}, \"hash\": \"{hash:016x}\"", graph.n_edges())
}

fn measures(graph: &Graph) -> Result<String, Box<dyn Error>> {
    let adjacency = graph.adjacency();
    let largest = components(&adjacency).largest_nodes();
    let streams = Streams::new(0);
    let mut rng = streams.stream("sources");
    let paths = paths(&adjacency, &largest, usize::MAX, &mut rng, &Quiet)?.ok_or("no paths")?;
    let triangles = clustering(&adjacency, &Quiet)?;
    let between = betweenness(&adjacency, usize::MAX, &mut rng, &Quiet)?;
    Ok(format!(
        "\"path\": {}, \"diameter\": {}, \"radius\": {}, \"transitivity\": {}, \"local\": {}, \"assortativity\": {}, \
         \"betweenness\": {}",
        paths.mean,
        paths.diameter,
        paths.radius,
        triangles.transitivity.ok_or("no wedge")?,
        triangles.mean_local,
        assortativity(&adjacency).ok_or("all degrees alike")?,
        between.iter().copied().fold(0.0, f64::max),
    ))
}

fn read(path: &str) -> Result<Vec<f64>, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let number = |b: &[u8]| b.try_into().map(f64::from_le_bytes);
    Ok(bytes
        .chunks_exact(8)
        .map(number)
        .collect::<Result<_, _>>()?)
}
