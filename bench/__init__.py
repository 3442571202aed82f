"""What is measured by `make bench`: nothing here is imported by the platform."""
