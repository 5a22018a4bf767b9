"""Configs: what a user writes, checked. Imports nothing compiled."""

from fastpose.config.action import Action, Level, Pulse, Ramp, Train
from fastpose.config.aravis import AravisCamera
from fastpose.config.beside import BesideOutput, PlugInOutput, PoseStream, ScreenOutput
from fastpose.config.calibration import Calibration
from fastpose.config.camera import PixelFormat, SimCamera, VideoCamera
from fastpose.config.cameras import Camera
from fastpose.config.experiments import OptogeneticProtocol, TrialProtocol, TrialType
from fastpose.config.filter import Filter, KalmanFilter, NoFilter, OneEuroFilter
from fastpose.config.identity import Identity, MotionIdentity, NoIdentity
from fastpose.config.load import config_from, load_config, resolved_yaml
from fastpose.config.model import Model, TrackedRoi
from fastpose.config.output import (
    FirmwareOutput,
    GpioOutput,
    PylonOutput,
    SerialOutput,
    SimOutput,
    TeensyLaserOutput,
)
from fastpose.config.outputs import Output, config_of_output
from fastpose.config.protocol import (
    ConditionalProtocol,
    CythonProtocol,
    NoProtocol,
    PythonProtocol,
)
from fastpose.config.protocols import Protocol
from fastpose.config.pylon import PylonCamera
from fastpose.config.real_camera import CameraTrigger, RealCamera
from fastpose.config.realsense import RealSenseCamera
from fastpose.config.record import Record, VideoRecord
from fastpose.config.root import Config
from fastpose.config.rule import (
    AccelerationRule,
    AllRule,
    AngleRule,
    AngularVelocityRule,
    AnyRule,
    ApproachRule,
    BeginsRule,
    BodyLengthRule,
    ClassifierRule,
    ContactRule,
    DistanceRule,
    DwellRule,
    EgocentricRule,
    EndsRule,
    FacingEdgeRule,
    FreezingRule,
    HeadInZoneRule,
    InZoneRule,
    LineCrossingRule,
    NotRule,
    OutsideZoneRule,
    PluginRule,
    PoseRule,
    PostureRule,
    RetreatRule,
    Rule,
    SequenceRule,
    SpeedRule,
    Target,
    TimedRule,
    ZoneEntryRule,
    ZoneExitRule,
    ZoneRule,
)
from fastpose.config.rule_classifier import Feature
from fastpose.config.session import Engine, Session
from fastpose.config.states import State, StatesProtocol, Transition, Trials, Uniform
from fastpose.config.stream import StreamCamera
from fastpose.config.synchronise import Synchronise
from fastpose.config.translate import as_states
from fastpose.config.types import Rectangle
from fastpose.config.v4l2 import V4l2Camera
from fastpose.config.zone import Circle, Ellipse, Square, Zone, ZoneRectangle

__all__ = [
    "AccelerationRule",
    "Action",
    "AllRule",
    "AngleRule",
    "AngularVelocityRule",
    "AnyRule",
    "ApproachRule",
    "AravisCamera",
    "BeginsRule",
    "BesideOutput",
    "BodyLengthRule",
    "Calibration",
    "Camera",
    "CameraTrigger",
    "Circle",
    "ClassifierRule",
    "ConditionalProtocol",
    "Config",
    "ContactRule",
    "CythonProtocol",
    "DistanceRule",
    "DwellRule",
    "EgocentricRule",
    "Ellipse",
    "EndsRule",
    "Engine",
    "FacingEdgeRule",
    "Feature",
    "Filter",
    "FirmwareOutput",
    "FreezingRule",
    "GpioOutput",
    "HeadInZoneRule",
    "Identity",
    "InZoneRule",
    "KalmanFilter",
    "Level",
    "LineCrossingRule",
    "Model",
    "MotionIdentity",
    "NoFilter",
    "NoIdentity",
    "NoProtocol",
    "NotRule",
    "OneEuroFilter",
    "OptogeneticProtocol",
    "Output",
    "OutsideZoneRule",
    "PixelFormat",
    "PlugInOutput",
    "PluginRule",
    "PoseRule",
    "PoseStream",
    "PostureRule",
    "Protocol",
    "Pulse",
    "PylonCamera",
    "PylonOutput",
    "PythonProtocol",
    "Ramp",
    "RealCamera",
    "RealSenseCamera",
    "Record",
    "Rectangle",
    "RetreatRule",
    "Rule",
    "ScreenOutput",
    "SequenceRule",
    "SerialOutput",
    "Session",
    "SimCamera",
    "SimOutput",
    "SpeedRule",
    "Square",
    "State",
    "StatesProtocol",
    "StreamCamera",
    "Synchronise",
    "Target",
    "TeensyLaserOutput",
    "TimedRule",
    "TrackedRoi",
    "Train",
    "Transition",
    "TrialProtocol",
    "TrialType",
    "Trials",
    "Uniform",
    "V4l2Camera",
    "VideoCamera",
    "VideoRecord",
    "Zone",
    "ZoneEntryRule",
    "ZoneExitRule",
    "ZoneRectangle",
    "ZoneRule",
    "as_states",
    "config_from",
    "config_of_output",
    "load_config",
    "resolved_yaml",
]
