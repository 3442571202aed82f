"""What analytics found, in PostgreSQL: `findings` is what viewers see of it, `reports` what engineers see."""
