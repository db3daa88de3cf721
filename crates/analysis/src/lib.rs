//! Structure from neural activity.
