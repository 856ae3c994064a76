"""What the simulation of a large run is made of."""
