loss = ((((
