"""The drop-in folder: which extensions exist.  Any folder ``mailsys/plugins`` on ``sys.path`` adds to it."""

from twisted.plugin import pluginPackagePaths

__path__.extend(pluginPackagePaths(__name__))
__all__: list[str] = []
