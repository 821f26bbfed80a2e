"""Valid records, documents and settings for tests; a test names only what matters to it.

``site`` has the small valid site, ``documents`` the parts of designs for tests of single rules, ``provisioning`` what
provisioners are given, ``tasks`` tasks and node filters, ``rows`` stored records, ``settings`` what services are made
with. A builder that one module uses stands in that module.
"""
