"""Commands on data. They stand above all features, because most of them need several."""
