"""Configs: what a user writes, checked. Imports nothing compiled."""

from fastpose.config.aravis import AravisCamera
from fastpose.config.camera import PixelFormat, SimCamera, VideoCamera
from fastpose.config.cameras import Camera
from fastpose.config.experiments import OptogeneticProtocol, TrialProtocol, TrialType
from fastpose.config.filter import Filter, KalmanFilter, NoFilter, OneEuroFilter
from fastpose.config.identity import Identity, MotionIdentity, NoIdentity
from fastpose.config.load import config_from, load_config, resolved_yaml
from fastpose.config.model import Model, TrackedRoi
from fastpose.config.output import Output, PylonOutput, SerialOutput, SimOutput
from fastpose.config.protocol import (
    ConditionalProtocol,
    CythonProtocol,
    NoProtocol,
    Pulse,
    PythonProtocol,
)
from fastpose.config.protocols import Protocol
from fastpose.config.pylon import PylonCamera
from fastpose.config.real_camera import CameraTrigger, RealCamera
from fastpose.config.realsense import RealSenseCamera
from fastpose.config.record import Record, VideoRecord
from fastpose.config.root import Config
from fastpose.config.rule import AngleRule, DistanceRule, InZoneRule, OutsideZoneRule, Rule, SpeedRule
from fastpose.config.session import Engine, Session
from fastpose.config.states import State, StatesProtocol, Transition, Trials, Uniform
from fastpose.config.stream import StreamCamera
from fastpose.config.synchronise import Synchronise
from fastpose.config.translate import as_states
from fastpose.config.types import Rectangle
from fastpose.config.v4l2 import V4l2Camera
from fastpose.config.zone import Circle, Zone, ZoneRectangle

__all__ = [
    "AngleRule",
    "AravisCamera",
    "Camera",
    "CameraTrigger",
    "Circle",
    "ConditionalProtocol",
    "Config",
    "CythonProtocol",
    "DistanceRule",
    "Engine",
    "Filter",
    "Identity",
    "InZoneRule",
    "KalmanFilter",
    "Model",
    "MotionIdentity",
    "NoFilter",
    "NoIdentity",
    "NoProtocol",
    "OneEuroFilter",
    "OptogeneticProtocol",
    "Output",
    "OutsideZoneRule",
    "PixelFormat",
    "Protocol",
    "Pulse",
    "PylonCamera",
    "PylonOutput",
    "PythonProtocol",
    "RealCamera",
    "RealSenseCamera",
    "Record",
    "Rectangle",
    "Rule",
    "SerialOutput",
    "Session",
    "SimCamera",
    "SimOutput",
    "SpeedRule",
    "State",
    "StatesProtocol",
    "StreamCamera",
    "Synchronise",
    "TrackedRoi",
    "Transition",
    "TrialProtocol",
    "TrialType",
    "Trials",
    "Uniform",
    "V4l2Camera",
    "VideoCamera",
    "VideoRecord",
    "Zone",
    "ZoneRectangle",
    "as_states",
    "config_from",
    "load_config",
    "resolved_yaml",
]
