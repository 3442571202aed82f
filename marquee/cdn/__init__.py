"""What the chain, the API and the edges share about the CDN: edge addresses, signed paths, and filling an edge."""
