"""Processes of their own over the frame ring: what Python hosts without ever holding up the loop."""

from fastpose.hosts.host import Host
from fastpose.hosts.spawn import EncoderOptions, VideoOptions, spawn_encoder, spawn_video_host

__all__ = ["EncoderOptions", "Host", "VideoOptions", "spawn_encoder", "spawn_video_host"]
