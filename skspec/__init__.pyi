from skspec.datasets import make_spectra as make_spectra
from skspec.datasets import observe_spectra as observe_spectra
from skspec.ensemble import LogitVotingClassifier as LogitVotingClassifier
from skspec.estimators.conv1d import Conv1DClassifier as Conv1DClassifier
from skspec.estimators.conv1d import Conv1DRegressor as Conv1DRegressor
from skspec.estimators.convkan import ConvKANClassifier as ConvKANClassifier
from skspec.estimators.convtran import ConvTranClassifier as ConvTranClassifier
from skspec.estimators.plain_cnn import PlainCNNClassifier as PlainCNNClassifier
from skspec.estimators.resnet import ResNet1DClassifier as ResNet1DClassifier
from skspec.estimators.resnet import ResNet1DRegressor as ResNet1DRegressor
from skspec.estimators.resnet import ResNet2DClassifier as ResNet2DClassifier
from skspec.features import FluxStatistics as FluxStatistics
from skspec.features import LineIndices as LineIndices
from skspec.features import WienFitFeatures as WienFitFeatures
from skspec.io import read_spectra as read_spectra
from skspec.oversampling import GANOversampler as GANOversampler
from skspec.oversampling import NoiseOversampler as NoiseOversampler
from skspec.persistence import load as load
from skspec.persistence import read_info as read_info
from skspec.persistence import register_estimator as register_estimator
from skspec.persistence import save as save
from skspec.preprocessing import ContinuumNormalizer as ContinuumNormalizer
from skspec.preprocessing import FluxNormalizer as FluxNormalizer
from skspec.preprocessing import LogWaveResampler as LogWaveResampler
from skspec.preprocessing import MissingFluxImputer as MissingFluxImputer
from skspec.preprocessing import ResolutionMatcher as ResolutionMatcher
from skspec.spectra import Spectra as Spectra
from skspec.training import Flips as Flips
from skspec.training import Mask as Mask
from skspec.training import Noise as Noise
from skspec.training import Rotations as Rotations
from skspec.training import Shift as Shift
from skspec.training import Tilt as Tilt
from skspec.training import VelocityShift as VelocityShift
from skspec.tuning import search_space as search_space

__all__: list[str]
__version__: str
