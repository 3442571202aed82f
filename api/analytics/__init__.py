"""Reports for engineers and operators, over the marts of the warehouse: JSON page by page, or CSV."""
