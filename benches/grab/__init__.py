"""What a frame costs between a camera's library and the loop, driver by driver."""
