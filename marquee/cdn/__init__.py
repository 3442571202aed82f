"""The CDN as chain, API and edges share it: edge addresses, signed paths, filling an edge."""
