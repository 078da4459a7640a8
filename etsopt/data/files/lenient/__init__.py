"""What people write, read leniently: a workbook or a CSV file in; tables of raw cells out, and notes and problems."""
