"""The product's number: from exposure to action, paced by the camera, with loads beside the loop."""
