"""Shows mailsys to ``twistd`` and ``twist``.  This folder must have no ``__init__.py``."""

from twisted.application.service import ServiceMaker

mailsys = ServiceMaker("mailsys", "mailsys.tap", "A complete mail host for a small organisation", "mailsys")
