"""The sidebar: data, encoder, training, and the runs made so far."""
