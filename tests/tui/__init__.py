"""The portal, full screen."""
