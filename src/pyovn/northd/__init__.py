"""northd: compiles the northbound database into the southbound one.

pipeline   the stages, and what a flow is          feature    how rules are declared and applied
model/     views of northbound rows                features/  the rules, one file per feature
families/  rows → views → flows and wanted rows    sync/      wanted rows against what the southbound database has
compiler   all of it over two sources of rows
"""
