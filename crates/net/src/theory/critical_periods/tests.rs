mod matrices;
mod pathways;
