//! Studies of how networks learn, beside what theory predicts.
