mod constructions;
mod golden;
mod visibility;
